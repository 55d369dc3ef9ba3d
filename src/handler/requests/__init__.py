"""From a URL or an event to an ImageRequest: URL languages, policy, presets, client hints."""
