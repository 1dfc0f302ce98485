"""Measures of motion and of models: one metric a file, and a report that runs them all."""
