"""Fine-tuning of one model, and the choice of its weights."""
