"""Training: one loop, one recipe a model."""
