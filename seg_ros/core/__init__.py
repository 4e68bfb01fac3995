"""What travels through the data path, in numpy and OpenCV alone."""
