"""Forms with a file, as browsers send them."""

from __future__ import annotations

from collections.abc import Mapping

BOUNDARY = "----boundary7MA4YWxk"


def encode_form(fields: Mapping[str, str], file: bytes, boundary: str = BOUNDARY) -> tuple[bytes, str]:
    """Return the body of a form whose last field is the file, and its media type."""
    head, tail = form_around(fields, boundary)
    return head + file + tail, f"multipart/form-data; boundary={boundary}"


def form_around(fields: Mapping[str, str], boundary: str = BOUNDARY) -> tuple[bytes, bytes]:
    """Return what comes before and after the bytes of the file."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="cat.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    return "".join((*parts, file)).encode(), f"\r\n--{boundary}--\r\n".encode()
