"""Training: one loop for all models, with a recipe for each."""
