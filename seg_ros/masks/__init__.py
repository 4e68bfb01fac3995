"""From the engine's tensors to masks at the size of the image, and how they are drawn."""
