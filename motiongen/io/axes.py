"""Axes of files: from a z-up world to ours, and back."""

import torch

Z_TO_Y = torch.tensor([-(0.5**0.5), 0.0, 0.0, 0.5**0.5])
"""A quarter turn about x, which takes z to y."""
Y_TO_Z = torch.tensor([0.5**0.5, 0.0, 0.0, 0.5**0.5])
"""The quarter turn back, which takes y to z."""
