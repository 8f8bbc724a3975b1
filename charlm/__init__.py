"""charlm: character-level recurrent language models on NumPy."""

__version__ = "0.1.0"
