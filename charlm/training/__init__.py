"""From a corpus to trained weights. Nothing here prints: the trainer yields reports."""
