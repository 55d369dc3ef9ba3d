"""The stores of originals: buckets, folders and HTTPS origins."""

from handler.storage.sources.locations import StoreLocation, read_locations
from handler.storage.sources.registry import Sources, open_sources, origin_of, source_of

__all__ = ["Sources", "StoreLocation", "open_sources", "origin_of", "read_locations", "source_of"]
