"""Where originals lie and results are kept: buckets, folders, and fixed HTTPS origins."""

from handler.objects.sources import Sources, open_sources, origin_of, source_of
from handler.objects.spec import Place, read_places

__all__ = ["Place", "Sources", "open_sources", "origin_of", "read_places", "source_of"]
