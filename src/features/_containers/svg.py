"""SVG: XML written again from its events, so that comments, instructions, metadata and what editors left are gone."""

from __future__ import annotations

from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from features._containers.embedded import strip_embedded
from features._containers.reader import Malformed

_SVG, _XML = "http://www.w3.org/2000/svg", "http://www.w3.org/XML/1998/namespace"
_DRAWN = frozenset(
    {_SVG, _XML, "http://www.w3.org/1999/xlink", "http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML"}
)
_DROPPED = frozenset({"metadata", "script"})
_DEEPEST = 500


def strip(original: bytes, _orientation: int) -> bytes:
    """What is drawn; scripts go as well, which the answer's security policy would not run anyway."""
    writer = _Writer()
    parser = expat.ParserCreate()
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    parser.SkippedEntityHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(original, True)
    except (expat.ExpatError, ValueError) as error:  # ValueError: an encoding that Python does not know
        raise Malformed(str(error)) from error
    return "".join(writer.parts).encode()


def _refuse(*_: object) -> int:
    raise Malformed("an entity from outside the file")


class _Writer:
    """Writes the events of what is drawn into `parts`."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.characters: list[str] = []
        self.prefixes: list[dict[str, str]] = [{"": _SVG, "xml": _XML}]
        self.left_out = 0
        """How many elements deep the events are in one that is left out."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.prefixes) > _DEEPEST:
            raise Malformed(f"more than {_DEEPEST} elements inside each other")
        self.prefixes.append({**self.prefixes[-1], **_declared(attributes)})
        if self.left_out or not self._is_drawn(name):
            self.left_out += 1
            return
        self._flush()
        kept = {key: strip_embedded(value) for key, value in attributes.items() if self._is_kept(key, value)}
        self.parts.append(f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in kept.items())}>")

    def end(self, name: str) -> None:
        self.prefixes.pop()
        if self.left_out:
            self.left_out -= 1
        else:
            self._flush()
            self.parts.append(f"</{name}>")

    def text(self, characters: str) -> None:
        if not self.left_out:
            self.characters.append(characters)

    def _flush(self) -> None:
        self.parts.append(escape(strip_embedded("".join(self.characters))))
        self.characters.clear()

    def _is_drawn(self, name: str) -> bool:
        prefix, _, local = name.rpartition(":")
        return local not in _DROPPED and self.prefixes[-1].get(prefix) in _DRAWN

    def _is_kept(self, name: str, value: str) -> bool:
        prefix, _, local = name.rpartition(":")
        if prefix == "xmlns":
            return value in _DRAWN
        if prefix:
            return self.prefixes[-1].get(prefix) in _DRAWN
        return not local.lower().startswith("on")


def _declared(attributes: dict[str, str]) -> dict[str, str]:
    """Prefix → namespace, as an element's attributes declare them; an empty prefix is the default."""
    names = {name: name[6:] for name in attributes if name == "xmlns" or name.startswith("xmlns:")}
    return {prefix: attributes[name] for name, prefix in names.items()}
