"""The addresses of sites that moved over: in lenient mode they are answered as by the service they were written for.

`moving_sites/thumbor.json` holds what Thumbor 7.8 itself answers; `moving_sites/aws.py` what AWS's source says.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import pictures
from tests.client import Answered, Client
from tests.handler.dialects.moving_sites.aws import Site, sites

from handler.auth.signature import signed_url

SECRET = "a secret"
MIN_SHARE = 0.97
THUMBOR = Path(__file__).parent / "moving_sites" / "thumbor.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "photos").mkdir()
    (folder / "photos" / "cat.jpg").write_bytes(pictures.jpeg(pictures.scene(640, 480)))
    (folder / "photos" / "small.png").write_bytes(pictures.png(pictures.scene(90, 60)))
    (folder / "logo.png").write_bytes(pictures.png(pictures.scene_with_alpha(120, 40)))
    return folder


def client(folder: Path, **more: str) -> Client:
    environment = {"SOURCE_BUCKETS": f"p=file://{folder}", "IGNORED_PARAMETERS": "aws", "LOG_LEVEL": "ERROR"}
    return Client({**environment, **more})


def of_thumbor() -> list[Site]:
    kept = json.loads(THUMBOR.read_text("utf-8"))
    return [Site(each["address"], each["width"], each["height"], each["type"]) for each in kept]


def difference(served: Client, site: Site) -> str:
    """Return how the answer differs from what is expected, nothing if it does not."""
    answer = served.get(site.address)
    if answer.status != 200:
        return f"{site.address}: {answer.body.decode()}"
    image: Any = pyvips.Image.new_from_buffer(answer.body, "")
    got = (image.width, image.height, answer.headers["Content-Type"])
    return "" if got == site[1:] else f"{site.address}: {got}, expected {site[1:]}"


@pytest.mark.parametrize("kept", [of_thumbor(), list(sites())], ids=["thumbor", "aws"])
def test_lenient_mode_answers_as_the_service_that_they_were_written_for(folder: Path, kept: list[Site]) -> None:
    served = client(folder, COMPATIBILITY="lenient")
    different = [found for site in kept if (found := difference(served, site))]
    assert len(different) <= (1 - MIN_SHARE) * len(kept), "\n".join(different)


def test_there_are_enough_addresses() -> None:
    addresses = [site.address for site in (*of_thumbor(), *sites())]
    assert len(set(addresses)) == len(addresses) >= 389


def test_strict_mode_refuses_many_of_them_and_serves_the_others_alike(folder: Path) -> None:
    strict, lenient = client(folder), client(folder, COMPATIBILITY="lenient")
    statuses: dict[int, int] = {}
    for site in (*of_thumbor()[::7], *list(sites())[::7]):
        answer = strict.get(site.address)
        statuses[int(answer.status)] = statuses.get(int(answer.status), 0) + 1
        tolerated = lenient.get(site.address)
        if answer.status == 200 and "X-Ignored" not in tolerated.headers and "optional" not in site.address:
            assert answer.body == tolerated.body, site.address
    assert set(statuses) == {200, 400, 404}
    assert "X-Ignored" not in strict.get("/photos/cat.jpg?width=20").headers


PATHS = st.builds(
    lambda head, chain, key: f"/{head}{f'filters:{chain}/' if chain else ''}{key}",
    st.sampled_from(
        ["", "unsafe/", "unsafe/fit-in/30x20/", "fit-in/30x20/", "30x20/", "10x10:20x20/", "s3:other/30x20/"]
    ),
    st.lists(
        st.sampled_from(
            [
                "blur(2)",
                "gifv()",
                "rotate(90)",
                "quality(150)",
                "watermark(q,logo.png,1,1,0)",
                "sharpen()",
                "watermark(https://10.0.0.1/a.png,0,0,0)",
                "max_age(9)",
                "max_age(99999999)",
                "fill(red)",
                "removeBackground()",
            ]
        ),
        max_size=3,
    ).map(":".join),
    st.sampled_from(["photos/cat.jpg", "photos/wide.jpg", "nosuch.jpg", "https://10.0.0.1/cat.jpg", "../secret"]),
)
DOCUMENTS = st.fixed_dictionaries(
    {"key": st.sampled_from(["photos/cat.jpg", "photos/wide.jpg"])},
    optional={
        "bucket": st.sampled_from(["p", "other", "secret"]),
        "edits": st.sampled_from(
            [
                [],
                {"resize": {"width": 20}},
                {"resize": []},
                {"foo": 1, "blur": "3"},
                {"removeBackground": True},
                {"overlayWith": {"bucket": "secret", "key": "logo.png"}},
                {"resize": {"width": 99_999}},
                {"joinChannel": "/x"},
            ]
        ),
        "headers": st.dictionaries(
            st.sampled_from(["Location", "Set-Cookie", "cache-control", "X-Robots-Tag", "Refresh"]), st.just("a")
        ),
    },
).map(lambda document: "/" + base64.b64encode(json.dumps(document).encode()).decode())
QUERIES = st.dictionaries(
    st.sampled_from(["width", "size", "ver", "bucket", "removeBackground", "signature", "expires", "preset", "flip"]),
    st.sampled_from(["20", "20px", "99999", "other", "true", "20200101T000000Z", "29990101T000000Z", "x"]),
    max_size=3,
).map(urlencode)
PROOF_CODES = (
    "AuthorizationQueryParametersError",
    "SignatureDoesNotMatch",
    "ImageRequestExpired",
    "ImageRequestExpiryFormat",
)
RULES = (401, 403, 404, 413)
"""Statuses by which a rule of the operator answers: proof, sources, public features and limits."""


@pytest.fixture(scope="module")
def both(folder: Path) -> dict[bool, tuple[Client, Client]]:
    """The strict and the lenient service, with and without signatures."""
    (folder / "photos" / "wide.jpg").write_bytes(pictures.jpeg(pictures.scene(900, 700)))
    (folder / "secret").write_text(SECRET)
    limits = {"MAX_SOURCE_PIXELS": "500000", "MAX_RESULT_SIDE": "700", "IGNORED_PARAMETERS": "utm_*"}
    signed = {"ENABLE_SIGNATURE": "Yes", "SIGNATURE_SECRET_FILE": str(folder / "secret")}

    def in_both_modes(rules: dict[str, str]) -> tuple[Client, Client]:
        return client(folder, **rules), client(folder, COMPATIBILITY="lenient", **rules)

    return {False: in_both_modes(limits), True: in_both_modes({**limits, **signed})}


def code(answer: Answered) -> str:
    """Return the code of an error, nothing for an image."""
    return "" if answer.status == 200 else str(answer.json()["code"])


@settings(max_examples=150)
@given(PATHS | DOCUMENTS, QUERIES, st.booleans(), st.booleans())
def test_limits_sources_signatures_and_header_rules_are_the_same_in_both_modes(
    both: dict[bool, tuple[Client, Client]], path: str, query: str, has_rule: bool, is_signed: bool
) -> None:
    address = quote(path, safe="/:(),=") + (f"?{query}" if query else "")
    if is_signed and "signature=" not in query:
        address = signed_url(address, SECRET)
    strict, lenient = (served.get(address) for served in both[has_rule])
    if strict.status == 200:
        # What strict mode serves, lenient mode serves alike: it only adds to what is accepted.
        assert (lenient.status, lenient.headers.get("X-Ignored")) == (200, None)
        assert {**strict.headers, "ETag": ""} == {**lenient.headers, "ETag": ""}
    if strict.status in RULES or code(strict) in PROOF_CODES:
        assert (lenient.status, lenient.body) == (strict.status, strict.body)
    if strict.status == 400 and lenient.status == 200:
        assert lenient.headers["X-Ignored"]
    assert not {name.lower() for name in lenient.headers} & {"location", "set-cookie", "refresh"}


def test_a_transparent_picture_becomes_a_jpeg_on_the_colour_of_fill_or_of_the_setting(folder: Path) -> None:
    def corner(answer: Answered) -> list[int]:
        image: Any = pyvips.Image.new_from_buffer(answer.body, "")
        return [round(level) for level in image(0, 0)]

    clear: Any = pyvips.Image.black(60, 60, bands=4).copy(interpretation="srgb")
    (folder / "clear.png").write_bytes(pictures.png(clear))
    path = "/unsafe/fit-in/90x60/filters:{}format(jpeg)/clear.png"
    white, black = client(folder), client(folder, MATTE="000000")
    assert corner(white.get(path.format(""))) == [255, 255, 255]
    assert corner(black.get(path.format(""))) == [0, 0, 0]
    assert corner(black.get(path.format("fill(0000ff,true):"))) == pytest.approx([0, 0, 255], abs=2)
    assert corner(black.get(path.format("fill(0000ff):"))) == pytest.approx([0, 0, 255], abs=2)
    own = client(folder, IGNORED_PARAMETERS="")
    assert corner(own.get("/clear.png?format=jpeg&matte=red")) == pytest.approx([255, 0, 0], abs=2)


@pytest.mark.parametrize(("limit", "status"), [("1000", 413), ("400000", 200), ("", 200), ("no number", 200)])
def test_the_pixel_limit_of_aws_is_read(folder: Path, limit: str, status: int) -> None:
    assert client(folder, SHARP_SIZE_LIMIT=limit).get("/photos/cat.jpg?width=20").status == status
