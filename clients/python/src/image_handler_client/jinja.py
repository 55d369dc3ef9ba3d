"""Functions for Jinja's templates:

environment.globals.update(template_functions(ImageHandler("https://images.example.com")))

<img src="{{ image_url('photos/cat.jpg', width=300, watermark={'key': 'logo.png'}) }}" alt="A cat">
{{ image('photos/cat.jpg', alt='A cat', widths=[320, 640], format='auto') }}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from image_handler_client.handler import ImageHandler


def template_functions(images: ImageHandler) -> dict[str, Callable[..., Any]]:
    """Return `image_url`, `image_srcset` and `image` for the globals of an environment."""

    def image(key: str, **options: Any) -> Markup:
        return Markup(images.img(key, **options))  # noqa: S704 - `img` escapes every attribute

    return {"image_url": images.url, "image_srcset": images.srcset, "image": image}
