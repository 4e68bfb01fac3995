"""Networks that this project trains itself."""
