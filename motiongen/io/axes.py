"""Axes of files: from a z-up world to ours."""

import torch

Z_TO_Y = torch.tensor([-(0.5**0.5), 0.0, 0.0, 0.5**0.5])
"""A quarter turn about x, which takes z to y."""
