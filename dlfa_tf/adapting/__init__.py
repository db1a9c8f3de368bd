"""Going on with the training of an encoder, on text without labels.

adapt: one adaptation, from its settings to a preset with its card.
settings: everything that decides it.
preparing: what is trained: rows, model, objective.
texts: files of text by language.
packing: texts to rows of pieces; sampling: which rows a step sees.
masking: which pieces of a batch are hidden, by seed and step.
masked_lm: the model that guesses hidden pieces, over an encoder.
masked_word_training: the objective that an engine trains for.
"""
