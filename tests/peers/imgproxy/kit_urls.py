"""Print URLs that imgproxykit makes, and the width and height of what they ask for; it needs Python 3.12."""

from __future__ import annotations

import json
import sys
from typing import Any


def urls(key: str, salt: str) -> dict[str, Any]:
    """Return each URL with the size of its answer, by name."""
    from imgproxykit import Client, Transform
    from imgproxykit import options as option

    client = Client("", key=key, salt=salt)
    transforms = {
        "kit resize": (Transform(option.Resize(width=50, height=40, mode="fill")), 50, 40),
        "kit width": (Transform(width=60), 60, 30),
        "kit size": (Transform(option.Size(width=60, height=60), format="png", quality=70), 60, 30),
        "kit gravity": (
            Transform(option.Resize(width=60, height=60, mode="fill"), option.Gravity(position="no")),
            60,
            60,
        ),
        "kit crop": (Transform(option.Crop(width=40, height=30, gravity="nowe", offset_x=5)), 40, 30),
        "kit zoom": (Transform(option.Zoom(factor_x=0.5)), 100, 50),
        "kit many": (
            Transform(option.Padding(top=5), rotate=90, blur=2.0, strip_metadata=True, enlarge=True),
            110,
            210,
        ),
    }
    return {
        name: [client.url("local:///t.jpg", transform=transform), *size]
        for name, (transform, *size) in transforms.items()
    }


if __name__ == "__main__":
    print(json.dumps(urls(*sys.argv[1:])))  # noqa: T201 - the test reads what is printed
