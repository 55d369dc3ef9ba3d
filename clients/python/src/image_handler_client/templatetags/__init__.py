"""Template tags of Django."""
