"""One deployment of the service, for which addresses are written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape

from image_handler_client.signing import sign
from image_handler_client.urls import image_path


class ImageHandler:
    """Writes URLs for one deployment, signed where it has a secret."""

    def __init__(
        self, base_url: str = "", *, secret: str | None = None, expires: timedelta | datetime | None = None
    ) -> None:
        """`base_url` is the origin, such as `https://images.example.com`; empty for the page's own.

        With `secret` every URL is signed, and valid for `expires`. Raises ValueError for a base URL with a query.
        """
        if "?" in base_url or "#" in base_url:
            raise ValueError(f"base_url must be an origin such as https://images.example.com, got {base_url!r}")
        if expires is not None and not secret:
            raise ValueError("expires needs a secret, which signs it")
        self._base_url = base_url.rstrip("/")
        self._secret = secret
        self._expires = expires

    def url(self, key: str, **options: object) -> str:
        """Return the URL of an image; see `image_path` for key and options."""
        path = image_path(key, options)
        return self._base_url + (sign(path, self._secret, expires=self._expires) if self._secret else path)

    def srcset(self, key: str, widths: Iterable[int], **options: object) -> str:
        """Return the value of a `srcset` attribute: the image in each width, in pixels."""
        return ", ".join(f"{self.url(key, **{**options, 'width': width})} {width}w" for width in sorted(set(widths)))

    def img(
        self, key: str, *, alt: str, widths: Iterable[int] = (), sizes: str = "100vw", loading: str = "lazy",
        **options: object,
    ) -> str:  # fmt: skip
        """Return an `<img>` element in HTML, every attribute escaped."""
        attributes = {"src": self.url(key, **options), "alt": alt, "loading": loading, "decoding": "async"}
        if widths := list(widths):
            attributes |= {"srcset": self.srcset(key, widths, **options), "sizes": sizes}
        for name in ("width", "height"):
            if isinstance(options.get(name), int):
                attributes[name] = str(options[name])
        return "<img " + " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items()) + ">"
