"""Rewrite XML with only the chosen elements and attributes. Names keep their prefixes."""

from __future__ import annotations

from typing import Protocol
from xml.parsers import expat

from imaging.codecs.metadata.reader import Malformed
from imaging.context import Deadline

_XML = "http://www.w3.org/XML/1998/namespace"
_DEEPEST = 500
_ELEMENTS_BETWEEN_LOOKS = 1000
"""After so many elements the deadline is checked."""
_IN_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_IN_VALUE = _IN_TEXT | {ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}


class ElementFilter(Protocol):
    """The choice of what stays of a document. An attribute without prefix has no namespace."""

    def element(self, namespace: str, name: str) -> bool:
        """Return whether an element stays; if not, all that is in it is removed too."""

    def attribute(self, namespace: str, name: str) -> bool:
        """Return whether an attribute stays."""

    def declaration(self, namespace: str) -> bool:
        """Return whether a prefix for that namespace stays declared."""

    def text(self, characters: str) -> str:
        """Return what stays of a text or the value of an attribute."""


def rewrite(document: bytes, choice: ElementFilter, namespace: str = "", *, deadline: Deadline | None = None) -> bytes:
    """Return the chosen part in UTF-8, without comments, instructions and document type.

    `namespace` is that of names without prefix. Raises Malformed for invalid XML, TimeExceeded after the deadline.
    """
    writer = _Writer(choice, namespace, deadline or Deadline())
    parser = expat.ParserCreate()
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.characters.append
    parser.SkippedEntityHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError) as error:  # ValueError: an encoding that Python does not know
        raise Malformed(str(error)) from error
    return "".join(writer.parts).encode()


def escape_text(characters: str) -> str:
    """Return characters escaped for a place between tags."""
    return characters.translate(_IN_TEXT)


def _refuse(*_: object) -> int:
    raise Malformed("an entity from outside the file")


class _Writer:
    """Writes the events of what is chosen into `parts`."""

    def __init__(self, choice: ElementFilter, namespace: str, deadline: Deadline) -> None:
        self.choice = choice
        self.deadline = deadline
        self.elements = 0
        self.parts: list[str] = []
        self.characters: list[str] = []
        self.prefixes: dict[str, str] = {"": namespace, "xml": _XML}
        self.outer: list[dict[str, str]] = []
        """For each element that is open what the prefixes that it declares meant outside of it."""
        self.left_out = 0
        """How many elements deep the events are in one that is left out."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.outer) >= _DEEPEST:
            raise Malformed(f"more than {_DEEPEST} elements inside each other")
        self.elements += 1
        if self.elements % _ELEMENTS_BETWEEN_LOOKS == 0:
            self.deadline.check()
        self._flush()
        declared = _declared(attributes)
        self.outer.append({prefix: self.prefixes.get(prefix, "") for prefix in declared})
        self.prefixes.update(declared)
        if self.left_out or not self.choice.element(*self._resolved(name)):
            self.left_out += 1
            return
        kept = {key: self.choice.text(value) for key, value in attributes.items() if self._is_kept(key, value)}
        written = "".join(f' {key}="{value.translate(_IN_VALUE)}"' for key, value in kept.items())
        self.parts.append(f"<{name}{written}>")

    def end(self, name: str) -> None:
        self._flush()
        self.prefixes.update(self.outer.pop())
        if self.left_out:
            self.left_out -= 1
        else:
            self.parts.append(f"</{name}>")

    def _flush(self) -> None:
        if not self.left_out:
            self.parts.append(escape_text(self.choice.text("".join(self.characters))))
        self.characters.clear()

    def _resolved(self, name: str) -> tuple[str, str]:
        prefix, _, local = name.rpartition(":")
        return self.prefixes.get(prefix, ""), local

    def _is_kept(self, name: str, value: str) -> bool:
        if name == "xmlns" or name.startswith("xmlns:"):
            return self.choice.declaration(value)
        return self.choice.attribute(*(self._resolved(name) if ":" in name else ("", name)))


def _declared(attributes: dict[str, str]) -> dict[str, str]:
    """Return the namespace of each prefix that an element's attributes declare; an empty prefix is the default."""
    names = {name: name[6:] for name in attributes if name == "xmlns" or name.startswith("xmlns:")}
    return {prefix: attributes[name] for name, prefix in names.items()}
