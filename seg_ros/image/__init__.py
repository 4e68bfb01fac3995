"""What the bytes of an image mean, and how it is fitted into the network."""
