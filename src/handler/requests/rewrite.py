"""AWS's custom rewrite: a pattern and a substitution make Thumbor paths of a site's own addresses.

`REWRITE_MATCH_PATTERN` is a JavaScript expression, `/re/flags`; the substitution knows `$1`, `$<name>`, `$&` and `$$`.
"""

from __future__ import annotations

import re

import msgspec

_PATTERN = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_NAMED_GROUP = re.compile(r"\(\?<(?![=!])")
_NAMED_REFERENCE = re.compile(r"\\k<([A-Za-z_][A-Za-z0-9_]*)>")
_PLACE = re.compile(r"\$(?:(\$)|(&)|([0-9]{1,2})|<([A-Za-z_][A-Za-z0-9_]*)>)")
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "u": re.NOFLAG, "g": re.NOFLAG}


class Rewrite(msgspec.Struct, frozen=True):
    """A pattern and what takes the place of its matches."""

    pattern: re.Pattern[str]
    substitution: str
    everywhere: bool = False
    """Flag g: each match, not only the first."""

    @classmethod
    def read(cls, pattern: str, substitution: str) -> Rewrite | None:
        """The rewrite that two settings hold, None where they are empty. ValueError."""
        if not pattern and not substitution:
            return None
        parts = _PATTERN.fullmatch(pattern)
        if parts is None or not set(parts[2]) <= set(_FLAGS):
            raise ValueError(
                f"REWRITE_MATCH_PATTERN must be /expression/flags with flags of gimsu, got {pattern[:60]!r}"
            )
        flags = re.ASCII
        for flag in parts[2]:
            flags |= _FLAGS[flag]
        text = _NAMED_REFERENCE.sub(r"(?P=\1)", _NAMED_GROUP.sub("(?P<", parts[1]))
        try:
            compiled = re.compile(text, flags)
        except re.error as error:
            raise ValueError(f"REWRITE_MATCH_PATTERN must be an expression that can be read: {error}") from None
        rewrite = cls(compiled, substitution, "g" in parts[2])
        rewrite._check()
        return rewrite

    def apply(self, path: str) -> str:
        """The decoded path, with its leading slash, as it is to be read."""
        return self.pattern.sub(self._substituted, path, count=0 if self.everywhere else 1)

    def _check(self) -> None:
        for location in _PLACE.finditer(self.substitution):
            number, name = location[3], location[4]
            if (number and int(number) > self.pattern.groups) or (name and name not in self.pattern.groupindex):
                raise ValueError(f"REWRITE_SUBSTITUTION must name groups of the pattern, got {location[0]}")

    def _substituted(self, match: re.Match[str]) -> str:
        def filled(location: re.Match[str]) -> str:
            if location[1]:
                return "$"
            group: int | str = 0 if location[2] else int(location[3]) if location[3] else location[4]
            return match[group] or ""

        return _PLACE.sub(filled, self.substitution)
