"""Output keys and presets: templates, srcsets, and the faults of their settings."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.handler.uploads.studio import MemoryRecords, Studio

from handler.composition import wiring
from handler.config import Settings, SettingsError
from handler.core.errors import BadRequest
from handler.requests.parsed_request import Recipe
from handler.requests.presets import read_presets
from handler.uploads.layout import LAYOUTS, OutputLayout
from handler.uploads.presets import Srcset, UploadPreset, expand_presets, parse_srcsets
from handler.uploads.variants import VariantStore
from imaging import ObjectRef
from imaging.codecs.decode import decoder

ORIGINAL = ObjectRef("photos", "2026/a cat.v2.jpg")
PRESETS = read_presets({"thumb": "width=20&format=webp", "wide": "width=80&height=40&format=jpeg", "same": "blur=1"})


def keys(template: str, *names: str) -> list[str]:
    return [*OutputLayout(expand_presets(names, PRESETS, {}, template, Recipe())).keys_of(ORIGINAL)]


@pytest.mark.parametrize(
    ("template", "key"),
    [
        (LAYOUTS["folders"], "wide/photos/2026/a cat.v2.jpg"),
        (LAYOUTS["suffixes"], "2026/a cat.v2.jpg.wide.jpg"),
        ("{bucket}/{stem}-{width}x{height}.{ext}", "photos/2026/a cat.v2-80x40.jpg"),
        ("{format}/{key}", "jpeg/2026/a cat.v2.jpg"),
        ("v/{{}}/{key}", "v/{}/2026/a cat.v2.jpg"),
    ],
)
def test_output_keys(template: str, key: str) -> None:
    assert keys(template, "wide") == [key]


@pytest.mark.parametrize("key", ["cat", ".cat", "a.b/cat", "cat.", "a/.jpg"])
def test_the_stem_of_a_key_without_an_extension_is_the_key(key: str) -> None:
    preset = expand_presets(["thumb"], PRESETS, {}, "{preset}/{stem}", Recipe())
    assert [*OutputLayout(preset).keys_of(ObjectRef("photos", key))] == [f"thumb/{key.removesuffix('.')}"]


def test_a_srcset_has_a_key_for_each_width_and_format() -> None:
    srcset = Srcset((320, 640), ("avif", "webp"))
    layout = OutputLayout(expand_presets(["thumb"], PRESETS, {"thumb": srcset}, LAYOUTS["folders"], Recipe()))
    expected = itertools.product((320, 640), ("avif", "webp"))
    assert [*layout.keys_of(ORIGINAL)] == [f"thumb/photos/{ORIGINAL.key}/{width}.{ext}" for width, ext in expected]


def test_a_srcset_keeps_the_aspect_ratio_and_the_other_options_of_its_preset() -> None:
    first, second = expand_presets(["wide"], PRESETS, {"wide": Srcset((40, 400))}, LAYOUTS["folders"], Recipe())
    assert (first.size, second.size) == ((40, 20), (400, 200))
    assert (first.format, second.recipe.output.format) == ("jpeg", "jpeg")


@pytest.mark.parametrize(
    "value", [[], {"a": 1}, {"a": {}}, {"a": {"widths": []}}, {"a": {"widths": [0]}}, {"a": {"widths": [9], "x": 1}}]
)
def test_faults_of_a_srcset(value: object) -> None:
    with pytest.raises(ValueError, match="UPLOAD_SRCSET must be a JSON object"):
        parse_srcsets(value)


names = st.text("ab/.-", min_size=1, max_size=4)


@given(first=names, second=names, template=st.sampled_from([*LAYOUTS.values(), "{preset}{key}", "{stem}/{preset}"]))
def test_two_presets_never_share_a_key(first: str, second: str, template: str) -> None:
    presets = [UploadPreset(name, PRESETS["thumb"], template) for name in (first, second)]
    try:
        found = OutputLayout(presets).keys_of(ORIGINAL)
    except BadRequest:
        return
    assert len(found) == 2


@given(key=st.text("abc/.", min_size=1, max_size=8), other=st.text("abc/.", min_size=1, max_size=8))
def test_variants_of_a_srcset_never_have_the_key_of_another_original(key: str, other: str) -> None:
    presets = expand_presets(["thumb"], PRESETS, {"thumb": Srcset((3, 30), ("webp", "png"))}, "", Recipe())
    found = []
    for each in {key, other}:
        try:
            found.append({*OutputLayout(presets).keys_of(ObjectRef("photos", each))})
        except BadRequest:
            return
    assert len(found) == 1 or not found[0] & found[1]


def fault_of(tmp_path: Path, **variables: str) -> str:
    """Return the message with which a service with these settings does not start."""
    for name in ("in", "more", "out"):
        (tmp_path / name).mkdir(exist_ok=True)
    environment = {
        "SOURCE_BUCKETS": f"photos=file://{tmp_path}/in",
        "OUTPUT_BUCKET": f"out=file://{tmp_path}/out",
        "PRESETS": json.dumps({"thumb": "width=20&format=webp", "same": "blur=1", "other": "height=20&format=webp"}),
        "UPLOAD_PRESETS": "thumb",
        **{name: value.replace("TMP", str(tmp_path)) for name, value in variables.items()},
    }
    with pytest.raises(SettingsError) as error:
        wiring.build(Settings.from_environment(environment))
    return str(error.value)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OUTPUT_KEY": "{preset}"}, ["OUTPUT_KEY", "`thumb`", "{key} or {stem}", "got `{preset}`"]),
        ({"OUTPUT_KEY": "{presets}/{key}"}, ["OUTPUT_KEY", "{preset}, {bucket}", "got `{presets}/{key}`"]),
        ({"OUTPUT_KEY": "{key!r}"}, ["OUTPUT_KEY", "got `{key!r}`"]),
        ({"OUTPUT_KEY": "{key:>9}"}, ["OUTPUT_KEY", "got `{key:>9}`"]),
        ({"OUTPUT_KEY": "{key.__class__}"}, ["OUTPUT_KEY", "got `{key.__class__}`"]),
        ({"OUTPUT_KEY": "{key[0]}"}, ["OUTPUT_KEY", "got `{key[0]}`"]),
        ({"OUTPUT_KEY": "{key"}, ["OUTPUT_KEY", "must be a template, got `{key`"]),
        ({"OUTPUT_KEY": "{}/{key}"}, ["OUTPUT_KEY", "must be a template with"]),
        ({"OUTPUT_KEY": "../{key}"}, ["OUTPUT_KEY", "must be valid"]),
        ({"OUTPUT_KEY": "suffixes", "UPLOAD_PRESETS": "same"}, ["OUTPUT_KEY", "`same`", "names a format", "{ext}"]),
        ({"OUTPUT_KEY": "{key}/{height}"}, ["OUTPUT_KEY", "`thumb`", "resizes to a height", "{height}"]),
        ({"OUTPUT_KEY": "{key}.{ext}", "UPLOAD_PRESETS": "thumb,other"}, ["OUTPUT_KEY", "`other` and `thumb`"]),
        (
            {"OUTPUT_KEY": "{preset}/{key}", "SOURCE_BUCKETS": "photos=file://TMP/in,more=file://TMP/more"},
            ["OUTPUT_KEY", "{bucket}", "different sources"],
        ),
        ({"UPLOAD_PRESETS": "nosuch"}, ["UPLOAD_PRESETS", "thumb, same", "got nosuch"]),
        ({"UPLOAD_PRESETS": ""}, ["UPLOAD_PRESETS", "got nothing"]),
        ({"UPLOAD_SRCSET": "{"}, ["UPLOAD_SRCSET must be a JSON object"]),
        ({"UPLOAD_SRCSET": '{"thumb": {"widths": ["a"]}}'}, ["UPLOAD_SRCSET", "widths"]),
        ({"UPLOAD_SRCSET": '{"other": {"widths": [9]}}'}, ["UPLOAD_SRCSET must name presets of UPLOAD_PRESETS"]),
        ({"UPLOAD_SRCSET": '{"thumb": {"widths": [9], "formats": ["doc"]}}'}, ["UPLOAD_SRCSET.thumb.format", "'doc'"]),
        ({"UPLOAD_SRCSET": '{"thumb": {"widths": [8, 9], "key": "{key}.{ext}"}}'}, ["a key of its own"]),
        ({"REQUIRE_TAG": "Scan"}, ["REQUIRE_TAG must be a tag such as name=value", "got 'Scan'"]),
        ({"REQUIRE_TAG": "=x"}, ["REQUIRE_TAG must be a tag"]),
        ({"UPLOAD_MAX_ATTEMPTS": "0"}, ["UPLOAD_MAX_ATTEMPTS must be a whole number from 1 to 1000, got '0'"]),
        ({"UPLOAD_STALE_SECONDS": "5"}, ["UPLOAD_STALE_SECONDS must be a whole number from 60"]),
    ],
)
def test_a_fault_of_the_settings_is_reported_at_the_start(
    tmp_path: Path, variables: dict[str, str], words: list[str]
) -> None:
    message = fault_of(tmp_path, **variables)
    for word in words:
        assert word in message


def test_a_srcset_through_the_pipeline_reads_and_decodes_the_original_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    loaded: Any = decoder._loaded

    def count(original: bytes, source: Any, *args: Any) -> Any:
        opened.append(source.format)
        return loaded(original, source, *args)

    looked_up: list[str] = []
    head = VariantStore._head
    monkeypatch.setattr(decoder, "_loaded", count)

    def look_up(store: VariantStore, key: str) -> Any:
        looked_up.append(key)
        return head(store, key)

    monkeypatch.setattr(VariantStore, "_head", look_up)
    srcset = Srcset((2, 4, 6), ("png", "webp", "jpeg"))
    studio = Studio(MemoryRecords(), presets={"set": "sharpen=1"}, srcsets={"set": srcset})
    studio.put(40)
    outcome = studio.process("1")
    assert len(outcome.stored) == 9
    assert (len(studio.originals.reads), opened) == (1, ["png"])
    assert sorted(looked_up) == sorted(outcome.stored), "each output key is looked up once"
    sizes = sorted((variant.width, variant.media_type) for variant in studio.record().variants)
    assert sizes == sorted((width, f"image/{kind}") for width in (2, 4, 6) for kind in ("png", "webp", "jpeg"))
    assert studio.process("2", "deleted").status == "deleted"
    assert studio.output.objects == {}
