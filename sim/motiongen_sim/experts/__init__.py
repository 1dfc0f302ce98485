"""Scripted experts: they solve a task by rules, so that policies have something to learn from."""
