"""Camera images in, semantic, instance and panoptic masks out."""

__version__ = '0.1.0'
