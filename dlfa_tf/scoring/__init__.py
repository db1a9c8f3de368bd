"""From token arrays and a model to scores.

predict: token arrays to logits to names of labels.
score: predicted and gold labels of one language to scores.
score_counts: the same by test item, for draws of them.
zero_shot: a model on the files of all languages.
prediction_files: XTREME's files of predictions, written and scored.
"""
