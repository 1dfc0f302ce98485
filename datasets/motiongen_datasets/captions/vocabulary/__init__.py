"""Vocabulary of the caption grammar: tables of the phrases of each content."""
