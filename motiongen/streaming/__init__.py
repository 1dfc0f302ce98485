"""Characters that go on without end, obey what is said to them, and share one model."""
