"""A change of an original, and the sequencers that order the changes of one key."""

from __future__ import annotations

import re
import time
from typing import Literal

import msgspec

from imaging import ObjectRef

Kind = Literal["created", "deleted"]
REPROCESS = "reprocess"
"""The task of a message that has originals processed again: `{"task": "reprocess", "records": ["ID of a record"]}`."""
_HEX = re.compile("[0-9A-Fa-f]{1,64}")


class OriginalChange(msgspec.Struct, frozen=True, kw_only=True):
    """A created, overwritten or deleted original."""

    ref: ObjectRef
    """The name of the source, and the key in it."""
    sequencer: str = ""
    """Orders the changes of a key. Empty: that of the record, or the lowest one, so that any event is newer."""
    kind: Kind | None = "created"
    """None: whichever of both the source shows."""
    attempt: int = 1
    """How often the same change has been delivered, this time included."""
    force: bool = False
    """Whether a version that is in a final state is processed again."""
    presets: frozenset[str] | None = None
    """Of a forced change: the presets whose variants are rendered although they are stored. None: all of them."""
    is_announced: bool = True
    """Whether its final state is announced; not if the store itself will report the same change."""
    is_repetition: bool = False
    """Whether the pipeline itself forces it, because the original was overwritten while its variants were stored."""

    @property
    def renders_again(self) -> bool:
        """Whether it has any variant rendered although that is stored."""
        return self.force and self.presets != frozenset()


def make_forced_change(source: str, key: str, attempt: int = 1) -> OriginalChange:
    """Return the change that has an original processed again, whatever its source shows now."""
    return OriginalChange(ref=ObjectRef(source, key), kind=None, attempt=attempt, force=True)


def is_sequencer(text: str) -> bool:
    """Return whether a text is a sequencer of S3, which orders the events of an object."""
    return bool(_HEX.fullmatch(text))


def normalize_sequencer(sequencer: str) -> str:
    """Return the one spelling of a sequencer that records and notices have: upper case, no zeros on the left."""
    return sequencer.upper().lstrip("0") or "0"


def is_older(sequencer: str, other: str) -> bool:
    """Return whether the first sequencer is older than the other one.

    Sequencers differ in length. S3's documentation says to pad them on the left with zeros and to compare the texts.
    """
    width = max(len(sequencer), len(other))
    return sequencer.upper().zfill(width) < other.upper().zfill(width)


def is_same(sequencer: str, other: str) -> bool:
    """Return whether two sequencers are equal, however long they are written."""
    return not is_older(sequencer, other) and not is_older(other, sequencer)


def make_sequencer() -> str:
    """Return a sequencer for a change of this moment, for stores that send no events of their own.

    It counts nanoseconds, as MinIO's do. S3's own sequencers are longer and begin with a larger number, so that an
    event of S3 counts as newer.
    """
    return f"{time.time_ns():018X}"
