"""Runs: settings, fine-tuning, the choice of weights."""
