"""Where originals come from and where results go."""
