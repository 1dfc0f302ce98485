"""Neural network modules shared by two or more models."""
