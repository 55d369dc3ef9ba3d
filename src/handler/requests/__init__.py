"""From a URL or an event to an ImageRequest: dialects, policy, presets, client hints, translation."""
