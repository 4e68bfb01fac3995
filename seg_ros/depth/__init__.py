"""Masks into the world: depth, clouds, objects, ground and static scenes, as arrays."""
