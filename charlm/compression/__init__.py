"""Files in as few bytes as a model's probabilities allow, and back bit for bit."""
