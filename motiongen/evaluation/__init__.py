"""Evaluation of motion and models: one metric a file, and reports that combine them."""
