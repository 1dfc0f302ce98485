"""What a motion should follow: words (music and observations stand beside them)."""
