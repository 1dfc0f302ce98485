"""Inference: loading of models, generation, editing, and splicing of motion."""
