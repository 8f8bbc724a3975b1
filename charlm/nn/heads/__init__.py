"""What a network ends in: from the top layer's activations to a loss."""
