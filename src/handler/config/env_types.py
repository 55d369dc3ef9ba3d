"""Declarations and parsers of environment variables. The ValueError of a parser states what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec


class Env(msgspec.Struct, frozen=True):
    """The environment variable that sets a field: the field's annotation holds one, as in
    `max_frames: Annotated[int, Env("MAX_FRAMES", "Frames of an animation", integer(1, 10_000))] = 300`.
    """

    variable: str
    help: str
    """Its description in docs/configuration.md."""
    parse: Callable[[str], Any] | None = None
    """None: the parser that PARSERS has for the field's type."""
    secret: bool = False
    """Whether messages must not repeat the value."""


_RECORDS_ADDRESSES = (
    r"sqlite:///(?!:memory:)[^?]+",
    # The user and the password, a name, an IPv6 address or none, the port, the database and parameters of libpq
    r"postgresql\+psycopg://(?:[^@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^@/?:\[\]]*)(?::\d+)?/[^/?]+(?:\?.*)?",
    r"dynamodb://[A-Za-z0-9_.-]{3,255}",
)


def text(value: str) -> str:
    """Return the value as it is."""
    return value


def header(value: str) -> str:
    """Return text that an HTTP header can hold."""
    if not value.isascii() or not value.isprintable():
        raise ValueError("text that a header can hold")
    return value


def boolean(value: str) -> bool:
    """Parse Yes or No, or a word that Go, and so imgproxy, takes for one of them."""
    words = {"yes": True, "true": True, "t": True, "1": True, "no": False, "false": False, "f": False, "0": False}
    words[""] = False
    if value.lower() not in words:
        raise ValueError("Yes or No")
    return words[value.lower()]


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a parser of integers within these bounds."""

    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not minimum <= int(value) <= maximum:
            raise ValueError(f"a whole number from {minimum} to {maximum}")
        return int(value)

    return parse


def fraction(value: str) -> float:
    """Parse a number from 0 to 1."""
    if not re.fullmatch(r"(?:0|1|0?\.[0-9]{1,6}|[01]\.[0-9]{1,6})", value) or float(value) > 1:
        raise ValueError("a number from 0 to 1")
    return float(value)


def string_list(value: str) -> tuple[str, ...]:
    """Parse a comma-separated list."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


def log_level_name(value: str) -> str:
    """Parse a log level of Python's `logging`."""
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def lambda_level_name(value: str) -> str:
    """Translate a log level of Lambda's `LoggingConfig` into one of Python's; an empty value stays empty."""
    name = value.upper()
    if name not in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", ""):
        raise ValueError("TRACE, DEBUG, INFO, WARN, ERROR or FATAL")
    return {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}.get(name, name)


def choice(*words: str) -> Callable[[str], str]:
    """Return a parser of one of these words, in any case."""

    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return value.lower()

    return parse


def some_of(*words: str) -> Callable[[str], tuple[str, ...]]:
    """Return a parser of a list of these words, in any case; the word `none` alone is the empty list."""

    def parse(value: str) -> tuple[str, ...]:
        named = string_list(value.lower())
        if named == ("none",):
            return ()
        if not set(named).issubset(words):
            raise ValueError("a list of " + ", ".join(words) + ", or none")
        return named

    return parse


def records_address(value: str) -> str:
    """Check the form of a database's address, which may be empty."""
    if value and not any(re.fullmatch(form, value) for form in _RECORDS_ADDRESSES):
        raise ValueError("sqlite:///file, postgresql+psycopg://user@host/database or dynamodb://table")
    return value


def web_address(value: str) -> str:
    """Return an http or https URL without user, password and fragment; an empty value stays empty."""
    try:
        url = urlsplit(value)
        is_valid = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0 and value.isascii()
    except ValueError:  # an invalid port or address
        is_valid = False
    if value and not (is_valid and value.isprintable() and not {"@", "#", " "} & {*value}):
        raise ValueError("an http or https URL without user, password and fragment")
    return value


def tag(value: str) -> tuple[str, str] | None:
    """Parse the name and value of a tag; an empty text names no tag."""
    name, equals, content = value.partition("=")
    if value and not (name and equals and content):
        raise ValueError("a tag such as name=value")
    return (name, content) if value else None


def timestamp(value: str) -> datetime:
    """Parse an ISO 8601 time."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise ValueError("an ISO 8601 time such as 2026-01-31T12:00:00+00:00") from None


PARSERS: dict[Any, Callable[[str], Any]] = {str: text, bool: boolean, tuple[str, ...]: string_list}
"""The parser for each type whose values need no further check."""
