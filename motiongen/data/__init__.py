"""What training and evaluation read: clip caches, corpora of codes, paired dances, demonstrations."""
