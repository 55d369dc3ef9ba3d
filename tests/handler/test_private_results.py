"""What caches and stores get of private images, and settings under which sources could not be kept private."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client import Answered, Client
from tests.mutants import ORIGIN, SECRET, WAYS, in_json, mutate, signed_query
from tests.vault import ADDRESSES, KEY, Vault

from handler.composition.server import adapt_to_server
from handler.config import SettingsError

_MAX_AGE = re.compile(r"\bmax-age=(\d+)")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return Vault(tmp_path_factory.mktemp("vault"))


@pytest.fixture(scope="module")
def behind_the_cdn(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    folder = tmp_path_factory.mktemp("cdn")
    (folder / "origin").write_text(ORIGIN)
    return Vault(folder, ORIGIN_SECRET_FILE=f"{folder}/origin")


def expiring(path: str, seconds: int, **pairs: str) -> str:
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    return signed_query(path, {**pairs, "expires": f"{end:%Y%m%dT%H%M%SZ}"})


def longest_age(answer: Answered) -> int:
    header = answer.headers["Cache-Control"]
    assert "s-maxage" not in header
    return int(_MAX_AGE.findall(header)[0])


def test_no_cache_keeps_an_answer_longer_than_the_signature_holds(services: Vault) -> None:
    asks_for_more = {
        "Cache-Control": "public, max-age=9999999, s-maxage=9999999",
        "Expires": "Tue, 01 Jan 2999 00:00:00 GMT",
    }
    for path, pairs in (
        (f"/{KEY}", {"bucket": "vault", "width": "20"}),
        (in_json({"bucket": "vault", "key": KEY, "headers": asks_for_more}), {}),
        ("/public.jpg", {"watermark.bucket": "vault", "watermark.key": KEY}),
    ):
        answer = services.full.get(expiring(path, 90, **pairs))
        assert answer.status == 200
        assert longest_age(answer) <= 90
        ends = datetime.strptime(answer.headers["Expires"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        assert ends <= datetime.now(UTC) + timedelta(seconds=90)
        unchanged = services.full.get(expiring(path, 90, **pairs), if_none_match=answer.headers["ETag"])
        assert unchanged.status == 304
        assert longest_age(unchanged) <= 90


def test_an_expired_url_tells_nothing(services: Vault) -> None:
    address = expiring(f"/{KEY}", -5, bucket="vault")
    answer = services.full.get(address)
    assert (answer.status, answer.json()["code"]) == (400, "ImageRequestExpired")
    assert answer == services.empty.get(address)


def test_what_is_in_memory_is_sent_for_a_valid_signature_alone(tmp_path: Path) -> None:
    client = Vault(tmp_path).full
    client.application = adapt_to_server(client.application)
    recent = client.application.http.recent
    assert recent is not None
    for pairs in ({"bucket": "vault"}, {"bucket": "vault", "v": "2"}):
        first, second = (client.get(expiring(f"/{KEY}", seconds, **pairs)) for seconds in (90, 60))
        assert (first.status, second.status, second.body) == (200, 200, first.body)
        assert longest_age(second) <= 60
    assert recent.size > 0
    for address in (f"/{KEY}?bucket=vault", f"{expiring(f'/{KEY}', 60, bucket='vault')}0"):
        assert client.get(address).status == 403
    assert client.get(expiring(f"/{KEY}", -5, bucket="vault")).json()["code"] == "ImageRequestExpired"


def test_a_stored_result_is_not_public(tmp_path: Path) -> None:
    services = Vault(tmp_path)
    slow = {"bucket": "vault", "median": "3"}
    assert services.full.get(signed_query(f"/{KEY}", slow)).status == 200
    stored = [
        path.relative_to(tmp_path).as_posix() for path in (tmp_path / "results-of-full").rglob("*") if path.is_file()
    ]
    assert any("/private/" in path for path in stored), stored
    assert not any("/public/" in path for path in stored), stored
    unsigned = services.full.get("/a%20b/cat.jpg?bucket=vault&median=3")
    assert unsigned.status == 403
    assert unsigned == services.empty.get("/a%20b/cat.jpg?bucket=vault&median=3")


def test_a_result_too_large_for_an_answer_is_redirected_to_for_a_short_time(tmp_path: Path) -> None:
    services = Vault(tmp_path, MAX_ANSWER_BYTES="9000")
    redirect = services.full.get(expiring(f"/{KEY}", 30, bucket="vault", width="400", format="png"))
    assert (redirect.status, redirect.headers["Cache-Control"]) == (302, "no-store")
    location = redirect.headers["Location"]
    assert services.full.get(location).status == 200
    path, _, query = location.partition("?")
    assert path.startswith("/_results/private/")
    until = int(re.findall(r"until=(\d+)", query)[0])
    assert until <= datetime.now(UTC).timestamp() + 31
    for changed in (path, location.replace(f"until={until}", f"until={until + 9}")):
        assert services.full.get(changed).status == 404
    assert not (tmp_path / "results-of-full" / "public").exists()


def _settings(folder: Path, **more: str) -> dict[str, str]:
    for name in ("photos", "photos/inner", "vault"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "secret").write_text(SECRET)
    return {
        "SOURCE_BUCKETS": f"photos=file://{folder}/photos,vault=file://{folder}/vault",
        "PRIVATE_SOURCES": "vault",
        "SIGNATURE_SECRET_FILE": f"{folder}/secret",
        "RECORDS": f"sqlite:///{folder}/records.db",
        **more,
    }


_OVERLAP = "PRIVATE_SOURCES: the private source `vault` must not overlap with `photos`"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"PRIVATE_SOURCES": "vault,vaults"}, "PRIVATE_SOURCES must name sources of SOURCE_BUCKETS, got 'vaults'"),
        ({"GALLERY_SOURCE": "gallery"}, "GALLERY_SOURCE must name a source in S3 or in a folder (photos, vault), got"),
        ({"SOURCE_BUCKETS": "photos=file://{folder}/photos,vault=file://{folder}/photos/inner"}, _OVERLAP),
        ({"SOURCE_BUCKETS": "photos=file://{folder}/photos/inner,vault=file://{folder}/photos"}, _OVERLAP),
        ({"SOURCE_BUCKETS": "photos=file://{folder}/link,vault=file://{folder}/photos/inner"}, _OVERLAP),
        ({"SOURCE_BUCKETS": "photos,vault=s3://photos/private"}, _OVERLAP),
        ({"SOURCE_BUCKETS": "photos=s3://one/a/b,vault=s3://one/a"}, _OVERLAP),
        ({"SOURCE_BUCKETS": "photos=s3://one?endpoint=https://a.example,vault=s3://one/a"}, _OVERLAP),
        ({"SOURCE_BUCKETS": "photos=https://a.example/x,vault=https://a.example:443/"}, _OVERLAP),
        ({"SOURCE_BUCKETS": "photos=gs://one,vault=gs://one/private"}, _OVERLAP),
        (
            {"ALWAYS": '{"watermark": {"bucket": "vault", "key": "a.png"}}'},
            "ALWAYS must not name an image in a private source, got one in `vault`",
        ),
        (
            {"ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes", "DEFAULT_FALLBACK_IMAGE_KEY": "a"}
            | {"DEFAULT_FALLBACK_IMAGE_BUCKET": "vault"},
            "the fallback image must not be in a private source, got one in `vault`",
        ),
    ],
)  # fmt: skip
def test_settings_that_open_private_sources_are_refused(tmp_path: Path, more: dict[str, str], expected: str) -> None:
    environment = _settings(
        tmp_path, **{name: value.replace("{folder}", str(tmp_path)) for name, value in more.items()}
    )
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    with pytest.raises(SettingsError) as raised:
        Client(environment)
    assert expected in str(raised.value)


@pytest.mark.parametrize(
    "sources",
    [
        "photos=s3://one/a,vault=s3://one/ab",
        "photos=s3://one?endpoint=https://a.example,vault=s3://one?endpoint=https://b.example",
        "photos=https://a.example/x,vault=https://b.example/x",
        "photos=https://a.example,vault=s3://one",
        "photos=gs://one/a,vault=gs://one/b",
    ],
)
def test_sources_beside_each_other_do_not_overlap(tmp_path: Path, sources: str) -> None:
    assert Client(_settings(tmp_path, SOURCE_BUCKETS=sources)).application.settings.private_sources == {"vault"}


def test_the_fallback_image_hides_whether_a_private_image_exists(tmp_path: Path) -> None:
    services = Vault(tmp_path, ENABLE_DEFAULT_FALLBACK_IMAGE="Yes", DEFAULT_FALLBACK_IMAGE_KEY="public.jpg")
    full, empty = (each.get(ADDRESSES["query"]) for each in (services.full, services.empty))
    assert (full.status, full.headers["Content-Type"]) == (403, "image/jpeg")
    assert full == empty


_PARTS = st.sampled_from(
    ["_key", "inside", "vault", "s3:vault", "unsafe", "20x20", "fit-in", "filters:watermark(vault,a b/cat.jpg,0,0,0)",
     "a b", "cat.jpg", KEY, "public.jpg", "..", ".", "", "alias", "meta", "photos", "%2F", "https:", "example.com"]
)  # fmt: skip
_NAMES = st.sampled_from(
    ["bucket", "watermark.bucket", "watermark.key", "preset", "info", "width", "signature", "expires", "frame.key",
     "frame.bucket", "v", "boolean.key", "feature", "key"]
)  # fmt: skip
_VALUES = st.sampled_from(
    ["vault", KEY, "inside/a b/cat.jpg", "photos", "marked", "small", "true", "20", "0" * 64, "20991231T235959Z", ""]
)


@st.composite
def unsigned_addresses(draw: st.DrawFn) -> str:
    """Addresses without a valid signature: known ones that are changed at random, and ones of random parts."""
    seed = draw(st.integers(min_value=0))
    if draw(st.booleans()):
        address = draw(st.sampled_from(sorted(ADDRESSES.values())))
        # Signed by somebody who does not know the secret.
        if draw(st.booleans()):
            address += ("&" if "?" in address else "?") + f"signature={seed:064x}"[:74]
        return mutate(address, Random(seed)) if draw(st.booleans()) else address
    path = "/".join(draw(st.lists(_PARTS, min_size=1, max_size=5)))
    pairs = draw(st.dictionaries(_NAMES, _VALUES, max_size=4))
    return "/" + quote(path, safe="/:(),%") + "?" + "&".join(f"{name}={quote(value)}" for name, value in pairs.items())


@given(unsigned_addresses(), st.sampled_from(sorted(WAYS)))
def test_no_unsigned_address_depends_on_a_private_image(
    services: Vault, behind_the_cdn: Vault, address: str, way: str
) -> None:
    """The twin without the image gives the same answer, in each shape in which an address can reach the function."""
    event = WAYS[way](address)
    if event is not None:
        both = behind_the_cdn if way == "wrapped" else services
        assert both.full.invoke(event) == both.empty.invoke(event), address


@given(st.sampled_from(sorted(ADDRESSES)), st.integers(min_value=0))
def test_a_changed_signed_address_answers_as_the_signed_one_or_not_at_all(
    services: Vault, name: str, seed: int
) -> None:
    if "origin" in name or name.startswith(("imgproxy", "background")):
        return
    path, _, query = ADDRESSES[name].partition("?")
    pairs = dict(pair.split("=", 1) for pair in query.split("&") if pair)
    address = signed_query(unquote(path), {key: unquote(value) for key, value in pairs.items()})
    mutant = mutate(address, Random(seed))
    answer = services.full.get(mutant)
    assert answer in (services.empty.get(mutant), services.full.get(address)), mutant
