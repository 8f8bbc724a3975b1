"""Models exchanged with other frameworks: as a state dict of PyTorch, there and back, and as a graph of ONNX."""
