"""Pictures of an analysis.

drawing: colours, files, bars by language.
layer_figures: scores and gains over the fused block.
model_figures: similarity, gates and sentence vectors.
"""
