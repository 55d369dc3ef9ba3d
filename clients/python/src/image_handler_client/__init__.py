"""Builds and signs URLs of a serverless image handler.

    from image_handler_client import ImageHandler

    images = ImageHandler("https://images.example.com", secret="…")
    images.url("photos/cat.jpg", width=300, format="webp", watermark={"key": "logo.png", "width": 25})
    images.srcset("photos/cat.jpg", [320, 640, 1280], format="auto")

`image_handler_client.django`, `.jinja` and `.wagtail` use one ImageHandler in templates.
"""

from image_handler_client.handler import ImageHandler
from image_handler_client.signing import sign
from image_handler_client.urls import image_path

__all__ = ["ImageHandler", "image_path", "sign"]
