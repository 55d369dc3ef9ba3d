"""Pages of a listing, for stores that list a whole folder at once."""

from __future__ import annotations

from collections.abc import Mapping

from handler.core.ports import Listing, ObjectInfo


def page_of(entries: Mapping[str, ObjectInfo | None], cursor: str, limit: int) -> Listing:
    """Return the `limit` entries after `cursor` in the order of their names; an entry of None is a folder."""
    names = sorted(name for name in entries if name > cursor)
    shown = names[:limit]
    return Listing(
        tuple(info for name in shown if (info := entries[name]) is not None),
        tuple(name for name in shown if entries[name] is None),
        shown[-1] if len(names) > limit else None,
    )
