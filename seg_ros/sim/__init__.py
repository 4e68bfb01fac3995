"""Worlds to look at where there is no camera."""
