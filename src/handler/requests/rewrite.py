"""AWS's custom rewrite: a pattern and a substitution turn a site's own URLs into Thumbor paths.

`REWRITE_MATCH_PATTERN` is a JavaScript regular expression, `/expression/flags`. In `REWRITE_SUBSTITUTION`, `$1` and
`$<name>` are groups, `$&` is the whole match and `$$` a dollar sign, as in JavaScript's `String.prototype.replace`.
"""

from __future__ import annotations

import re

import msgspec

_PATTERN = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_NAMED_GROUP = re.compile(r"\(\?<(?![=!])")
_NAMED_REFERENCE = re.compile(r"\\k<([A-Za-z_][A-Za-z0-9_]*)>")
_PLACEHOLDER = re.compile(r"\$(?:(\$)|(&)|([0-9]{1,2})|<([A-Za-z_][A-Za-z0-9_]*)>)")
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "u": re.NOFLAG, "g": re.NOFLAG}


class Rewrite(msgspec.Struct, frozen=True):
    """A compiled pattern and what replaces its matches."""

    pattern: re.Pattern[str]
    substitution: str
    everywhere: bool = False
    """Whether each match is replaced and not only the first: the flag `g`."""

    @classmethod
    def parse(cls, pattern: str, substitution: str) -> Rewrite | None:
        """Compile the two settings; return None where both are empty. Raise ValueError."""
        if not pattern and not substitution:
            return None
        parts = _PATTERN.fullmatch(pattern)
        if parts is None or not set(parts[2]) <= set(_FLAGS):
            raise ValueError(
                f"REWRITE_MATCH_PATTERN must be /expression/flags with flags of gimsu, got {pattern[:60]!r}"
            )
        # `\d` and `\w` are ASCII in JavaScript.
        flags = re.ASCII
        for flag in parts[2]:
            flags |= _FLAGS[flag]
        # Python spells named groups and references to them in another way: (?P<name>…) and (?P=name).
        text = _NAMED_REFERENCE.sub(r"(?P=\1)", _NAMED_GROUP.sub("(?P<", parts[1]))
        try:
            compiled = re.compile(text, flags)
        except re.error as error:
            raise ValueError(f"REWRITE_MATCH_PATTERN must be an expression that compiles: {error}") from None
        for placeholder in _PLACEHOLDER.finditer(substitution):
            number, name = placeholder[3], placeholder[4]
            if (number and int(number) > compiled.groups) or (name and name not in compiled.groupindex):
                raise ValueError(f"REWRITE_SUBSTITUTION must name groups of the pattern, got {placeholder[0]}")
        return cls(compiled, substitution, "g" in parts[2])

    def apply(self, path: str) -> str:
        """Return the decoded path, with its leading slash, as the dialects read it."""
        return self.pattern.sub(self._fill_placeholders, path, count=0 if self.everywhere else 1)

    def _fill_placeholders(self, match: re.Match[str]) -> str:
        def fill(placeholder: re.Match[str]) -> str:
            if placeholder[1]:
                return "$"
            group: int | str = 0 if placeholder[2] else int(placeholder[3]) if placeholder[3] else placeholder[4]
            # A group that took no part in the match is empty in JavaScript, and None in Python.
            return match[group] or ""

        return _PLACEHOLDER.sub(fill, self.substitution)
