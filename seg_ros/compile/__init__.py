"""A trained network and its card made into one deployable ONNX file."""
