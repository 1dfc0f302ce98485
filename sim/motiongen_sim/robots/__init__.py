"""Robots in PyBullet: their models, retargeting of motion to them, and their control."""
