"""The server of `image-handler mcp`: tools of the Model Context Protocol, through which an assistant uses a service.

`protocol.py` alone imports the protocol's SDK, which is an extra.
"""
