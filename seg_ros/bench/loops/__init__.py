"""Closed loops in simulation: what picks, odometry, driving and mapping gain from the masks."""
