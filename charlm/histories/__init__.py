"""What runs have written down: read from their folders, and which of them compare."""
