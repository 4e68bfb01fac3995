"""What `make demo` plays and shows."""
