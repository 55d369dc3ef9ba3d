"""`{% image_url %}`, `{% image_srcset %}` and `{% image %}` for Django's templates.

A keyword with two underscores names a parameter of a feature: `watermark__key='logo.png'`.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from image_handler_client.django import image_handler
from image_handler_client.options import nested, widths_of

register = template.Library()


@register.simple_tag  # type: ignore[untyped-decorator]  # Django ships no types
def image_url(key: str, **options: Any) -> str:
    """Return the URL of an image."""
    return image_handler().url(key, **nested(options))


@register.simple_tag  # type: ignore[untyped-decorator]  # Django ships no types
def image_srcset(key: str, widths: str, **options: Any) -> str:
    """Return the value of a `srcset` attribute for widths such as `320,640`."""
    return image_handler().srcset(key, widths_of(widths), **nested(options))


@register.simple_tag  # type: ignore[untyped-decorator]  # Django ships no types
def image(key: str, alt: str, widths: str = "", sizes: str = "100vw", **options: Any) -> SafeString:
    """Return an `<img>` element."""
    described: dict[str, Any] = nested(options)
    element = image_handler().img(key, alt=alt, widths=widths_of(widths), sizes=sizes, **described)
    return mark_safe(element)  # noqa: S308 - `img` escapes every attribute
