"""Entrypoints: one module for each kind of event, and the ASGI server."""
