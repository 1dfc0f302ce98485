"""Conditions of generation: text and music as tensors."""
