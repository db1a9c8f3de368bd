"""Predictions, scores and the run folder."""
