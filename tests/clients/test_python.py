"""The Python client writes and signs the URLs that the service reads."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django
import jinja2
import pytest
from django.conf import settings
from django.template import Context, Engine
from hypothesis import given
from hypothesis import strategies as st
from image_handler_client import ImageHandler, image_path, sign
from image_handler_client.jinja import template_functions
from image_handler_client.wagtail import rendition_url

from handler.auth.canonical import canonical, decode_path, split_address, split_query
from handler.auth.signature import sign as signature_of
from handler.requests import dialects
from handler.requests.parse import parse_address
from handler.requests.policy import Policy

CLIENTS = Path(__file__).parents[2] / "clients"
VECTORS = json.loads((CLIENTS / "vectors.json").read_text(encoding="utf-8"))
[SECRET] = VECTORS["secret"]
BASE = "https://images.example.com"
POLICIES = [Policy(dialects=dialects.select(names)) for names in ((), dialects.names(), dialects.names()[::-1])]

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda key: not key.startswith("/"))
hard_keys = st.sampled_from(
    ["unsafe/", "insecure/", "meta/", "fit-in/", "300x200/", "-10x/", "filters:blur(3)/", "s3:b/", "_x/", "eyJ", "e30="]
    + ["trim/", "smart/", "plain/", "rs:fill:9/", "enc/", "@png", "%2F"]
)


@pytest.mark.parametrize("vector", VECTORS["urls"], ids=lambda vector: vector["url"])
def test_urls_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    assert image_path(vector["key"], vector["options"]) == vector["url"]


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda vector: vector["path"])
def test_signatures_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    assert sign(vector["path"], SECRET) == vector["url"]


@given(
    st.lists(hard_keys | keys, min_size=1, max_size=3).map("".join), st.text(st.characters(exclude_categories=["Cs"]))
)
def test_the_service_reads_the_key_and_the_options_of_every_url(key: str, value: str) -> None:
    url = image_path(key, {"v": value})
    _, raw_path, query = split_address(url)
    path, pairs = decode_path(raw_path), split_query(query)
    assert pairs == (("v", value),)
    assert canonical(path, pairs) == url
    for policy in POLICIES:
        parsed = parse_address(path, pairs, policy, raw_path=raw_path)
        assert (parsed.ref.key, parsed.ref.bucket, parsed.recipe.steps) == (key.removeprefix("/"), "", ())


@given(
    keys,
    st.dictionaries(st.sampled_from(["v", "text.text", "download"]), st.text(st.characters(exclude_categories=["Cs"]))),
)
def test_the_service_accepts_every_signature(key: str, options: dict[str, object]) -> None:
    unsigned = image_path(key, options)
    signed = sign(unsigned, SECRET)
    _, raw_path, query = split_address(signed)
    pairs = split_query(query)
    assert dict(pairs)["signature"] == signature_of(decode_path(raw_path), pairs, SECRET)


def test_a_signed_url_expires() -> None:
    at = datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC)
    [vector] = [each for each in VECTORS["signatures"] if "expires=" in each["path"]]
    assert ImageHandler(BASE, secret=SECRET, expires=at).url("photos/cat.jpg", width=300) == BASE + vector["url"]
    url = ImageHandler(secret=SECRET, expires=timedelta(hours=1)).url("cat.jpg")
    stamp = dict(split_query(url.partition("?")[2]))["expires"]
    left = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(minutes=55) < left <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: image_path(""), "key must be"),
        (lambda: image_path("a.jpg", {"width": object()}), "width must be .* got object"),
        (lambda: image_path("a.jpg", {"watermark": {"key": {}}}), "watermark.key must be .* got a mapping"),
        (lambda: sign("a.jpg", SECRET), "begin with a slash"),
        (lambda: sign("/a.jpg", ""), "secret"),
        (lambda: sign("/a%zz.jpg", SECRET), "two hex digits"),
        (lambda: sign("/a.jpg?b=1&b=2", SECRET), "b occurs twice"),
        (lambda: sign("/a.jpg", SECRET, expires=datetime(2030, 1, 1)), "with a zone"),  # noqa: DTZ001 - that is wrong
        (lambda: ImageHandler("https://x.example/?a"), "base_url must be"),
        (lambda: ImageHandler(expires=timedelta(1)), "needs a secret"),
        (lambda: rendition_url(ImageHandler(), "a.jpg", "blur-3"), "max, min, fill"),
    ],
)
def test_wrong_arguments_are_refused(call: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_an_img_element_is_escaped() -> None:
    element = ImageHandler(BASE).img(
        "a.jpg", alt='"><script>', widths=[640, 320], sizes="50vw", format="auto", height=9
    )
    assert element == (
        f'<img src="{BASE}/a.jpg?format=auto&amp;height=9" alt="&quot;&gt;&lt;script&gt;" loading="lazy" '
        f'decoding="async" '
        f'srcset="{BASE}/a.jpg?format=auto&amp;height=9&amp;width=320 320w, '
        f'{BASE}/a.jpg?format=auto&amp;height=9&amp;width=640 640w" sizes="50vw" height="9">'
    )


def test_django_renders_the_tags() -> None:
    settings.configure(IMAGE_HANDLER={"base_url": BASE}, INSTALLED_APPS=["image_handler_client"])
    django.setup()
    engine = Engine(libraries={"image_handler": "image_handler_client.templatetags.image_handler"})
    rendered = engine.from_string(
        "{% load image_handler %}{% image_url key width=300 watermark__key='l.png' %}|"
        "{% image_srcset key '320,640' format='auto' %}|{% image key alt='A \"cat\"' widths='320' %}"
    ).render(Context({"key": "a b.jpg"}))
    url, srcset, element = rendered.split("|")
    assert url == f"{BASE}/a%20b.jpg?watermark.key=l.png&amp;width=300"
    assert srcset.startswith(f"{BASE}/a%20b.jpg?format=auto&amp;width=320 320w, ")
    assert element.startswith(f'<img src="{BASE}/a%20b.jpg" alt="A &quot;cat&quot;"')


def test_jinja_renders_the_functions() -> None:
    environment = jinja2.Environment(autoescape=True)
    environment.globals.update(template_functions(ImageHandler(BASE)))
    template = (
        "{{ image_url('a.jpg', width=3, blur=2) }}|{{ image_srcset('a.jpg', [1]) }}|{{ image('a.jpg', alt='<') }}"
    )
    url, srcset, element = environment.from_string(template).render().split("|")
    assert url == f"{BASE}/a.jpg?blur=2&amp;width=3"
    assert srcset == f"{BASE}/a.jpg?width=1 1w"
    assert element.startswith(f'<img src="{BASE}/a.jpg" alt="&lt;"')


@pytest.mark.parametrize(
    ("spec", "query"),
    [
        ("original", ""),
        (
            "fill-300x200-c50|format-webp",
            "?fit=cover&format=webp&height=200&resize.focalX=10&resize.focalY=20&width=300",
        ),
        ("max-300x200", "?fit=inside&height=200&resize.withoutEnlargement=true&width=300"),
        ("width-300 jpegquality-60", "?quality=60&resize.withoutEnlargement=true&width=300"),
        ("scale-50|bgcolor-fff", "?flatten.background=fff&resize.ratio=0.5"),
    ],
)
def test_wagtail_filters(spec: str, query: str) -> None:
    url = rendition_url(ImageHandler(), "a.jpg", spec, focal_point=(10, 20))
    assert url == "/a.jpg" + query
    parse_address("/a.jpg", split_query(query.removeprefix("?")), Policy())


def test_the_package_holds_its_tags_and_types(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-q",
        "-w",
        str(tmp_path),
    ]
    subprocess.run([*build, str(CLIENTS / "python")], check=True, timeout=240)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("py.typed", "__init__.py", "templatetags/image_handler.py", "wagtail.py"):
        assert f"image_handler_client/{name}" in names
