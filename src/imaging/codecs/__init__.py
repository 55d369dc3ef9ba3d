"""Decode stored bytes to pixels and encode pixels to bytes; negotiation and metadata belong to it."""
