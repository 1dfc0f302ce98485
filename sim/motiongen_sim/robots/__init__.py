"""Bodies in PyBullet: how they are loaded, held and moved."""
