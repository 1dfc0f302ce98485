"""The words of each content and style, as plain tables."""
