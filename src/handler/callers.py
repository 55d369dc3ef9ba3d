"""Who asks for a picture, as far as the address proves it (docs/signing.md)."""

from __future__ import annotations

import msgspec

from handler.canonical import SIGNATURE, Pairs
from handler.dialects import thumbor
from handler.errors import BadSignature
from handler.signature import Signatures
from handler.understand import Caller


class Proof(msgspec.Struct, frozen=True):
    """What an address proves."""

    caller: Caller
    path_signed: bool = False
    """Whether the path begins with a signature of what follows in it."""


class Callers(msgspec.Struct, frozen=True):
    """Tells callers by their addresses: what a signature does not cover must not change the answer."""

    signatures: Signatures | None = None
    """None where no secret is set."""
    signed_only: bool = False
    """Whether every address of a picture must be signed."""
    in_paths: bool = True
    """Whether a path may hold a signature, as Thumbor's do."""

    def proof(self, path: str, pairs: Pairs, raw_path: str) -> Proof:
        """BadSignature unless what must be signed is, and all of it; `raw_path` is as it stands in the URL."""
        if self.signatures is None:
            return Proof(Caller.ANYONE)
        claimed = thumbor.signature_of(path, raw_path) if self.in_paths else None
        path_signed = claimed is not None and self.signatures.covers_path(claimed.given, claimed.forms)
        if path_signed and pairs and SIGNATURE not in dict(pairs):
            raise BadSignature(
                "the signature in the path does not cover the query: leave out "
                f"`{pairs[0][0]}`, or cover it all by `{SIGNATURE}`"
            )
        if pairs if path_signed else self.signed_only:
            self.signatures.verify(path, pairs, raw_path=raw_path)
        return Proof(Caller.SIGNED if path_signed or self.signed_only else Caller.ANYONE, path_signed)
