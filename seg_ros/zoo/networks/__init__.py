"""The architectures: one module for each that no library has, one for each library."""
