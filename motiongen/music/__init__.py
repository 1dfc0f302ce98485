"""Music: sound files, features, beats, and a synthesiser of music whose beats are known."""
