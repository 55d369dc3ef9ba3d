"""The ImageHandler of a Django project, from its settings:

IMAGE_HANDLER = {"base_url": "https://images.example.com", "secret": "…", "expires": timedelta(days=7)}
INSTALLED_APPS = [..., "image_handler_client"]

{% load image_handler %}
<img src="{% image_url photo.key width=300 format='auto' %}" alt="A cat">
{% image photo.key alt='A cat' widths='320,640,1280' format='auto' %}
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from image_handler_client.handler import ImageHandler


def image_handler() -> ImageHandler:
    """Return the deployment that the setting IMAGE_HANDLER describes."""
    found: dict[str, Any] = getattr(settings, "IMAGE_HANDLER", {})
    return ImageHandler(**found)
