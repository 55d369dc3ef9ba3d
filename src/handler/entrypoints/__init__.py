"""Entrypoints: one module or folder for each kind of event, and the ASGI server."""
