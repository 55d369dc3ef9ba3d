"""The one place that builds the application from its settings."""
