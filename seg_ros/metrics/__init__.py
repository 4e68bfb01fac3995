"""How good masks are: measures against the truth, in plain NumPy."""
