"""Who asks for a picture, as far as the address proves it (docs/signing.md)."""

from __future__ import annotations

import msgspec

from handler.auth.canonical import SIGNATURE, Pairs
from handler.auth.signature import Signatures
from handler.errors import BadSignature
from handler.requests.dialects import thumbor
from handler.requests.parse import Caller


class Authentication(msgspec.Struct, frozen=True):
    """What an address proves."""

    caller: Caller
    signed_path: str | None = None
    """The text that the signature at the beginning of the path covers, exactly as it was signed; None where there is
    no such signature. It is what has to be parsed.
    """


class Authenticator(msgspec.Struct, frozen=True):
    """Tells callers by their addresses: what a signature does not cover must not change the answer."""

    signatures: Signatures | None = None
    """None where no secret is set."""
    signed_only: bool = False
    """Whether every address of a picture must be signed."""
    in_paths: bool = True
    """Whether a path may hold a signature, as Thumbor's do."""

    def proof(self, path: str, pairs: Pairs, raw_path: str) -> Authentication:
        """BadSignature unless what must be signed is, and all of it; `raw_path` is as it stands in the URL."""
        if self.signatures is None:
            return Authentication(Caller.ANYONE)
        claimed = thumbor.signature_of(raw_path) if self.in_paths else None
        signed_path = self.signatures.signed_form(claimed.given, claimed.forms) if claimed else None
        path_signed = signed_path is not None
        if path_signed and pairs and SIGNATURE not in dict(pairs):
            raise BadSignature(
                "the signature in the path does not cover the query: leave out "
                f"`{pairs[0][0]}`, or cover it all by `{SIGNATURE}`"
            )
        if pairs if path_signed else self.signed_only:
            self.signatures.verify(path, pairs, raw_path=raw_path)
            self._refuse_second_reading(path, path_signed=path_signed)
        return Authentication(Caller.SIGNED if path_signed or self.signed_only else Caller.ANYONE, signed_path)

    def _refuse_second_reading(self, path: str, *, path_signed: bool) -> None:
        """BadSignature where the query is signed and the path begins with a signature that does not match.

        `/SIG/key` and `/SIG%2Fkey` have the same canonical form. Only one of them has the signed path as its meaning;
        the other one would be a key, and the signature in the query would cover two meanings.
        """
        if self.in_paths and not path_signed and thumbor.begins_with_signature(path):
            raise BadSignature(
                "the signature at the beginning of the path does not match what follows it; for a key whose first "
                "folder looks like a signature, sign /_key/ and the key"
            )
