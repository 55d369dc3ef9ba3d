"""From an ImageRequest to its Result."""
