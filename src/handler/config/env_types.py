"""How the value of an environment variable is read; ValueError says what was expected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


def text(value: str) -> str:
    """Any text."""
    return value


def header(value: str) -> str:
    """Text that a header can hold."""
    if not value.isascii() or not value.isprintable():
        raise ValueError("text that a header can hold")
    return value


def yes(value: str) -> bool:
    """Yes or No."""
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}
    if value.lower() not in words:
        raise ValueError("Yes or No")
    return words[value.lower()]


def whole(least: int, most: int) -> Callable[[str], int]:
    """Whole numbers within these bounds."""

    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(value)

    return read


def names(value: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


def one_of(*words: str) -> Callable[[str], tuple[str, ...]]:
    """A comma-separated list of these words."""

    def read(value: str) -> tuple[str, ...]:
        found = names(value)
        if not set(found) <= set(words):
            raise ValueError("a comma-separated list of " + ", ".join(words))
        return found

    return read


def level(value: str) -> str:
    """A level of the log."""
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def lambdas_level(value: str) -> str:
    """The same in Lambda's words (its `LoggingConfig`), or nothing."""
    said = value.upper()
    if said not in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", ""):
        raise ValueError("TRACE, DEBUG, INFO, WARN, ERROR or FATAL")
    return {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}.get(said, said)


def word(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def read(value: str) -> str:
        if value.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return value.lower()

    return read


def moment(value: str) -> datetime:
    """An ISO 8601 time."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise ValueError("an ISO 8601 time such as 2026-01-31T12:00:00+00:00") from None
