"""Signatures and expiry of URLs: what a signature does not cover cannot change the answer (docs/signing.md)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import msgspec

from handler.auth.canonical import (
    EXPIRES,
    SIGNATURE,
    IgnoredParameters,
    Pairs,
    canonical,
    decode_path,
    encode_path,
    split_address,
    split_query,
)
from handler.core.errors import BadRequest, BadSignature
from handler.core.ports import SecretSource

LONGEST_LIFE = timedelta(days=36_500)

_EXPIRY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_LIFE = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_JOINTS = re.compile("[&=?#%]")


def sign(path: str, pairs: Iterable[tuple[str, str]], secret: str) -> str:
    """Return the signature of a decoded path and decoded pairs: HMAC-SHA256 of their canonical form, in hex."""
    return _hmac(canonical(path, pairs), secret)


Sign = Callable[[str, str], str]
"""Makes the signature of a text with a secret."""


class PathSignature(msgspec.Struct, frozen=True):
    """The segment of a path that may be a signature, and the texts that it may cover."""

    given: str
    texts: tuple[str, ...]


class PathSigning(msgspec.Struct, frozen=True, kw_only=True):
    """How a URL dialect signs its paths."""

    find: Callable[[str], PathSignature | None]
    """Finds what looks like a signature in a path as it is in the URL."""
    begins: Callable[[str], bool]
    """Returns whether a decoded path begins with what looks like a signature."""
    sign: Sign
    secrets: SecretSource | None = None
    """The keys of the dialect; None if it signs with the key of SECRETS_MANAGER or SIGNATURE_SECRET_FILE."""


class Signatures:
    """Signs URLs with the current secret, and verifies signatures by the current and the previous one."""

    def __init__(self, secrets: SecretSource) -> None:
        self.secrets = secrets

    def verify(self, path: str, pairs: Pairs, *, raw_path: str | None = None, sent: Pairs = ()) -> None:
        """Raise BadSignature unless `signature` among the decoded pairs covers the decoded path and all other pairs.

        `raw_path` is the path as it is in the URL, which AWS's handler signs. `pairs` must not contain ignored names.
        `sent` are the pairs with the ignored ones, which a signature of AWS's handler covers as well.
        """
        given = dict(pairs).get(SIGNATURE)
        if not given:
            raise BadSignature(
                f"`{SIGNATURE}` must be given, got nothing",
                code="AuthorizationQueryParametersError",
                status=HTTPStatus.BAD_REQUEST,
            )
        raw_path = encode_path(path) if raw_path is None else raw_path
        forms = _signed_forms(path, pairs, raw_path)
        if sent and sent != pairs:
            # Ignored names change nothing, so both texts have one meaning.
            forms += _signed_forms(path, sent, raw_path)
        secrets = self.secrets.values()
        if _matches(given, forms, secrets):
            return
        fresh = self.secrets.values(refresh=True)
        if fresh == secrets or not _matches(given, forms, fresh):
            raise BadSignature(f"`{SIGNATURE}` does not match the path and the other parameters")

    def covered_text(self, signature: PathSignature, sign: Sign) -> str | None:
        """Return the text of which this is a signature; see the function `covered_text`."""
        return covered_text(signature, sign, self.secrets)

    def signed_url(
        self, address: str, expires_in: timedelta | None = None, *, ignored: IgnoredParameters | None = None
    ) -> str:
        """Return a URL signed with the current secret; see the function `signed_url`."""
        return signed_url(address, self.secrets.values()[0], expires_in, ignored=ignored)


def covered_text(signature: PathSignature, sign: Sign, source: SecretSource) -> str | None:
    """Return the text of which this is a signature, byte for byte as it was signed; None if it is of none of them.

    It covers nothing of the query.
    """
    secrets = source.values()
    matching = [text for text in signature.texts if _matches(signature.given, (text,), secrets, sign)]
    if not matching:
        # Secrets that were rotated since they were fetched are fetched again before a signature is refused.
        fresh = source.values(refresh=True)
        if fresh != secrets:
            matching = [text for text in signature.texts if _matches(signature.given, (text,), fresh, sign)]
    return matching[0] if matching else None


def parse_expiry(value: str, now: datetime) -> datetime:
    """Return the time of `expires=YYYYMMDDTHHmmssZ`. Raises BadRequest for another format, or a time before `now`."""
    match = _EXPIRY.fullmatch(value)
    try:
        moment = datetime(*map(int, match.groups()), tzinfo=UTC) if match else None  # type: ignore[arg-type,misc]  # six numbers
    except ValueError:
        moment = None
    if moment is None:
        expected = f"`{EXPIRES}` must be YYYYMMDDTHHmmssZ in UTC"
        raise BadRequest(f"{expected}, got {value[:60]!a}", code="ImageRequestExpiryFormat")
    if moment <= now:
        raise BadRequest(f"`{EXPIRES}` must be in the future, got {value}", code="ImageRequestExpired")
    return moment


def parse_life(value: str) -> timedelta:
    """Parse a time to live, such as `90s`, `15m`, `1h`, `7d` or `2w`. Raises BadRequest."""
    match = _LIFE.fullmatch(value)
    if match is None:
        raise BadRequest(f"`{EXPIRES}` must be a number and s, m, h, d or w, such as 90s, 1h or 7d, got {value[:60]!a}")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        raise BadRequest(f"`{EXPIRES}` must be at most {LONGEST_LIFE.days} days, got {value}") from None


def signed_url(
    address: str, secret: str, expires_in: timedelta | None = None, *, ignored: IgnoredParameters | None = None
) -> str:
    """Return a URL (or a path with its query) in canonical form with its signature, and with `expires` if a time to
    live is given.

    Ignored names are kept, but not signed. Raises BadRequest for what is not a URL, or is signed already.
    """
    origin, raw_path, query = split_address(address)
    path, pairs = decode_path(raw_path), split_query(query)
    names = {name for name, _ in pairs}
    if SIGNATURE in names:
        raise BadRequest(f"`{SIGNATURE}` must be left out of a URL to sign")
    if expires_in is not None:
        if EXPIRES in names:
            raise BadRequest(f"`{EXPIRES}` must be left out where a time to live is given")
        if not timedelta(seconds=1) <= expires_in <= LONGEST_LIFE:
            raise BadRequest(f"the time to live must be 1 second to {LONGEST_LIFE.days} days, got {expires_in}")
        pairs += ((EXPIRES, f"{datetime.now(UTC) + expires_in:%Y%m%dT%H%M%SZ}"),)
    signature = sign(path, ignored.without(pairs) if ignored else pairs, secret)
    whole = canonical(path, pairs)
    return f"{origin}{whole}{'&' if '?' in whole else '?'}{SIGNATURE}={signature}"


def _signed_forms(path: str, pairs: Pairs, raw_path: str) -> tuple[str, ...]:
    """Return the texts that may be signed for this request: its canonical form, and AWS's form if it is unambiguous."""
    ours = canonical(path, pairs)
    signed = sorted(pair for pair in pairs if pair[0] != SIGNATURE)
    # AWS joins decoded names and values without encoding them, so a separator in one of them has two meanings.
    ambiguous = re.search("[?#]", raw_path) or any(_JOINTS.search(text) for pair in signed for text in pair)
    if ambiguous or decode_path(raw_path) != path:
        return (ours,)
    query = "&".join(f"{name}={value}" for name, value in signed)
    theirs = raw_path + ("?" + query if query else "")
    return (ours,) if theirs == ours else (ours, theirs)


def _matches(given: str, forms: tuple[str, ...], secrets: tuple[str, ...], made: Sign | None = None) -> bool:
    """Return whether this is the signature of any of the forms with any of the secrets. All of them are compared, so
    that the time tells nothing.
    """
    make = made or _hmac
    outcomes = [
        hmac.compare_digest(make(form, secret).encode(), given.encode()) for form in forms for secret in secrets
    ]
    return any(outcomes)


def _hmac(text: str, secret: str) -> str:
    if not secret:
        raise ValueError("the signing secret must not be empty")
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
