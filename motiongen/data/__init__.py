"""Data for training and evaluation: clip caches, code corpora, dances paired with music, robot demonstrations."""
