"""Named architectures of image segmentation, exported from PyTorch with their cards."""
