"""Forms and URLs for uploads that this service takes itself: of the same shape as S3's, and signed with HMAC."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import msgspec

from handler.core.errors import BadRequest, BadSignature
from handler.core.ports import SecretSource
from handler.storage.upload_stores import PresignedPost, UploadAttributes

FORM_PATH, PART_PATH = "/_upload", "/_upload/part"
FILE = "file"
_POLICY, _SIGNATURE = "policy", "x-signature"
_METADATA = "x-amz-meta-"
_NAME, _OVERWRITE, _OWNER = "x-name", "x-overwrite", "x-owner"
_PART_FIELDS = ("key", "upload", "part", "bytes", "until")


class ProcessSecret:
    """A secret of this process, for a server on this machine whose operator API needs no token."""

    _shared: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self._values = self._shared or (secrets.token_hex(32),)

    @classmethod
    def share(cls) -> None:
        """Make the secret of all processes that this one will fork."""
        cls._shared = (secrets.token_hex(32),)

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:  # noqa: ARG002 - it never changes
        """Return the one value."""
        return self._values


class FormUpload(msgspec.Struct, frozen=True):
    """What a form with a valid signature may upload."""

    key: str
    attributes: UploadAttributes
    sizes: tuple[int, int]
    """Smallest and largest number of bytes."""
    overwrite: bool
    name: str
    owner: str


class PartUpload(msgspec.Struct, frozen=True):
    """The part that a URL with a valid signature may upload."""

    key: str
    upload: str
    number: int
    max_bytes: int


class FormSigner(msgspec.Struct, frozen=True):
    """Signs forms and URLs of parts with a secret, and verifies them by its current and its previous value."""

    secret: SecretSource

    def sign_form(self, form: FormUpload, expires: datetime) -> PresignedPost:
        """Return the form with its policy, which names every other field, and the signature of the policy."""
        fields = {"key": form.key, "Content-Type": form.attributes.content_type}
        fields |= {_METADATA + name: value for name, value in form.attributes.metadata.items()}
        optional = {_NAME: form.name, _OWNER: form.owner, _OVERWRITE: "true" if form.overwrite else ""}
        fields |= {name: value for name, value in optional.items() if value}
        conditions = [["content-length-range", *form.sizes], *({name: value} for name, value in fields.items())]
        policy = {"expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}", "conditions": conditions}
        encoded = b64encode(json.dumps(policy).encode()).decode()
        signature = self._sign(_POLICY, encoded, self.secret.values()[0])
        return PresignedPost(FORM_PATH, {**fields, _POLICY: encoded, _SIGNATURE: signature})

    def verify_form(self, fields: Mapping[str, str], now: datetime) -> FormUpload:
        """Return what a form may upload. Raise BadSignature unless its policy is signed and names every field."""
        encoded = fields.get(_POLICY, "")
        self._verify(_POLICY, encoded, fields.get(_SIGNATURE, ""))
        try:
            policy: Mapping[str, Any] = json.loads(b64decode(encoded, validate=True))
        except (binascii.Error, ValueError) as error:
            raise BadRequest(f"`{_POLICY}` must be JSON in base64", detail=repr(error)) from error
        _require_before(datetime.fromisoformat(policy["expiration"]), now)
        sizes = next(rule for rule in policy["conditions"] if isinstance(rule, list))
        signed = {
            name: value for rule in policy["conditions"] if isinstance(rule, dict) for name, value in rule.items()
        }
        given = {name: value for name, value in fields.items() if name not in (_POLICY, _SIGNATURE)}
        for name in {*signed, *given}:
            if signed.get(name) != given.get(name):
                raise BadSignature(f"the field `{name[:60]}` must have the value that the form was signed with")
        metadata = {name.removeprefix(_METADATA): value for name, value in signed.items() if name.startswith(_METADATA)}
        return FormUpload(
            signed["key"],
            UploadAttributes(signed["Content-Type"], metadata),
            (sizes[1], sizes[2]),
            overwrite=signed.get(_OVERWRITE) == "true",
            name=signed.get(_NAME, ""),
            owner=signed.get(_OWNER, ""),
        )

    def sign_part(self, part: PartUpload, expires: datetime) -> str:
        """Return the URL to which a part is sent by PUT."""
        values = (part.key, part.upload, str(part.number), str(part.max_bytes), f"{expires.timestamp():.0f}")
        query = urlencode(dict(zip(_PART_FIELDS, values, strict=True)))
        return f"{PART_PATH}?{query}&signature={self._sign(PART_PATH, query, self.secret.values()[0])}"

    def verify_part(self, params: Mapping[str, str], now: datetime) -> PartUpload:
        """Return the part that a URL may upload, from its query. Raise BadSignature."""
        values = {name: params.get(name, "") for name in _PART_FIELDS}
        self._verify(PART_PATH, urlencode(values), params.get("signature", ""))
        _require_before(datetime.fromtimestamp(int(values["until"]), UTC), now)
        return PartUpload(values["key"], values["upload"], int(values["part"]), int(values["bytes"]))

    def _verify(self, kind: str, text: str, given: str) -> None:
        if self._matches(kind, text, given, self.secret.values()):
            return
        # The secret may have been rotated since its values were fetched.
        if not given or not self._matches(kind, text, given, self.secret.values(refresh=True)):
            raise BadSignature("the signature of the upload must be the one that /_api/uploads returned")

    def _matches(self, kind: str, text: str, given: str, values: tuple[str, ...]) -> bool:
        # All values are compared, so that the time does not depend on which of them matches.
        return any([hmac.compare_digest(self._sign(kind, text, each).encode(), given.encode()) for each in values])  # noqa: C419 - see above

    @staticmethod
    def _sign(kind: str, text: str, secret: str) -> str:
        """Return the signature of a text; `kind` keeps a signature of one kind from being valid for another one."""
        return hmac.new(secret.encode(), f"upload\n{kind}\n{text}".encode(), hashlib.sha256).hexdigest()


def _require_before(expires: datetime, now: datetime) -> None:
    if now >= expires:
        raise BadSignature(
            f"the upload must begin before {expires:%Y-%m-%dT%H:%M:%SZ}: its signature has expired", code="Expired"
        )
