"""Streaming: characters that generate frames without end, execute commands, and share one model."""
