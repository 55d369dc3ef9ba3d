"""Who requests an image, as far as the URL proves it (docs/signing.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from urllib.parse import unquote

import msgspec

from handler.auth.canonical import SIGNATURE, Pairs
from handler.auth.signature import PathSigning, Signatures, covered_text
from handler.core.errors import BadSignature


class Caller(Enum):
    """Who makes a request, as far as it is proven."""

    ANYONE = "anyone"
    SIGNED = "signed"
    OPERATOR = "operator"


class SignedPath(msgspec.Struct, frozen=True):
    """The part of a path that the signature in it covers."""

    dialect: str
    """The dialect whose signature it is, and in which the text must be parsed."""
    text: str
    """The covered text, byte for byte as it was signed."""


class Authentication(msgspec.Struct, frozen=True):
    """What a URL proves."""

    caller: Caller
    signed_path: SignedPath | None = None
    """What must be parsed instead of the path, if a signature in the path is valid."""
    opens_private: bool = False
    """Whether the service's own secret has signed all of the URL, so that it may read private sources."""
    fault: BadSignature | None = None
    """Why a signature in the query that is not needed proves nothing."""

    @property
    def covers_decoded_path(self) -> bool:
        """Whether a signature in the query covers the decoded path: how that is encoded must not change the answer."""
        return self.caller is Caller.SIGNED and self.signed_path is None


class Authenticator(msgspec.Struct, frozen=True):
    """Authenticates callers by the signatures in URLs. What a signature does not cover cannot change the answer."""

    signatures: Signatures | None = None
    """None if no secret is set."""
    signed_only: bool = False
    """Whether every URL of an image must be signed."""
    path_signings: Mapping[str, PathSigning] = msgspec.field(default_factory=dict)
    """How paths may be signed, by the name of the dialect."""
    has_private: bool = False
    """Whether some sources are private, so that a signature in the query is verified although it is not needed."""

    def authenticate(
        self, path: str, pairs: Pairs, raw_path: str, get_sent: Callable[[], Pairs] = lambda: ()
    ) -> Authentication:
        """Return what the URL proves; `raw_path` is the path as it is in the URL.

        `get_sent` returns the pairs of the query with the ignored ones, which may be part of what is signed.

        Raises BadSignature unless what must be signed is signed, and all of it.
        """
        if self.signatures is None and not self.signed_only and not any(self._own_keys()):
            return Authentication(Caller.ANYONE)
        signed_path = self.verified_path(raw_path)
        signature = dict(pairs).get(SIGNATURE)
        if signed_path is not None and pairs and signature is None:
            raise BadSignature(
                "the signature in the path does not cover the query: leave out "
                f"`{pairs[0][0]}`, or cover it all by `{SIGNATURE}`"
            )
        is_needed = bool(pairs) if signed_path is not None else self.signed_only
        if is_needed or (self.has_private and signature):
            try:
                self._verify_query(path, pairs, raw_path, signed_path, get_sent)
            except BadSignature as fault:
                if is_needed:
                    raise
                return Authentication(Caller.ANYONE, fault=fault)
            return Authentication(Caller.SIGNED, signed_path, opens_private=True)
        if signed_path is None:
            return Authentication(Caller.ANYONE)
        # Keys of a dialect's own are often those of another program, which has its own images to sign.
        has_own_keys = self.path_signings[signed_path.dialect].secrets is not None
        return Authentication(Caller.SIGNED, signed_path, opens_private=not has_own_keys)

    def _verify_query(
        self, path: str, pairs: Pairs, raw_path: str, signed_path: SignedPath | None, get_sent: Callable[[], Pairs]
    ) -> None:
        """Raise BadSignature unless the signature in the query covers the path and the other parameters."""
        if signed_path is None and SIGNATURE not in dict(pairs):
            self._refuse_wrong_signature(raw_path)
        if self.signatures is None:
            raise BadSignature(f"`{SIGNATURE}` cannot be verified: no key for signing URLs is set")
        self.signatures.verify(path, pairs, raw_path=raw_path, sent=get_sent())
        if signed_path is None:
            self._refuse_second_reading(path)

    def verified_path(self, raw_path: str) -> SignedPath | None:
        """Return what a valid signature in the path covers, None if there is no such signature."""
        for dialect, signing in self.path_signings.items():
            if signing.secrets is None and self.signatures is None:
                continue
            claimed = signing.find(raw_path)
            if claimed is None:
                continue
            if signing.secrets is not None:
                text = covered_text(claimed, signing.sign, signing.secrets)
            else:
                text = self.signatures.covered_text(claimed, signing.sign) if self.signatures is not None else None
            if text is not None:
                return SignedPath(dialect, text)
        return None

    def claimed_path(self, raw_path: str) -> SignedPath | None:
        """Return what a signature in the path would cover if it were valid; never parse it for an answer.

        Without a secret no path has a signature: what looks like one is a part of the key.
        """
        for dialect, signing in self.path_signings.items():
            if signing.secrets is None and self.signatures is None:
                continue
            claimed = signing.find(raw_path) if signing.begins(unquote(raw_path)) else None
            if claimed is not None:
                return SignedPath(dialect, claimed.texts[0])
        return None

    def _own_keys(self) -> Iterator[PathSigning]:
        """Yield the signings that have keys of their own."""
        return (signing for signing in self.path_signings.values() if signing.secrets is not None)

    def _refuse_wrong_signature(self, raw_path: str) -> None:
        """Raise BadSignature for a path that begins with what may be a signature of a dialect with keys of its own."""
        if any(signing.find(raw_path) is not None for signing in self._own_keys()):
            raise BadSignature("the signature at the beginning of the path does not match what follows it")

    def _refuse_second_reading(self, path: str) -> None:
        """Raise BadSignature where the query is signed and the path begins with a signature that is not valid.

        `/SIG/key` and `/SIG%2Fkey` have the same canonical form. Only one of them has the signed path as its meaning;
        the other one would be a key, and the signature in the query would cover two meanings.
        """
        if any(signing.begins(path) for signing in self.path_signings.values()):
            raise BadSignature(
                "the signature at the beginning of the path does not match what follows it; for a key whose first "
                "folder looks like a signature, sign /_key/ and the key"
            )
