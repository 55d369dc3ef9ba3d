"""What is generated is complete, valid, and as committed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest

from features import CATALOGUE, edits
from handler.config import SETTINGS
from handler.reference import DOCUMENTS, openapi
from handler.reference.__main__ import ROOT, main, out_of_date
from handler.requests.dialects import query
from handler.uploads.ingest.requests import FIELDS as UPLOAD_FIELDS
from imaging import Feature, Output, check, fields

DOCUMENT = openapi()
PARAMETERS: dict[str, Any] = DOCUMENT["components"]["parameters"]
EVERY_FIELD = [(feature, field) for feature in CATALOGUE for field in fields(feature.params).values()]
OF_IMGPROXY = ("anchor", "minWidth", "minHeight", "zoomX", "zoomY", "extended", "cover-ratio", "auto")
"""What only a resize by imgproxy's rules takes: parameters, and values."""
OTHER_BOUND = {
    "gapX": {"tile": "true"},
    "gapY": {"tile": "true"},
    "focalX": {"focalY": "1"},
    "focalY": {"focalX": "1"},
    "lower": {"upper": "100"},
    "upper": {"lower": "0"},
    "minColors": {"maxColors": "256"},
    "maxColors": {"minColors": "2"},
    "alphaMattingForegroundThreshold": {"alphaMattingBackgroundThreshold": "0"},
    "alphaMattingBackgroundThreshold": {"alphaMattingForegroundThreshold": "255"},
}
"""Fields of which each bounds the other."""
PAGE = DOCUMENTS["docs/features.md"]()
CONTROLS = json.loads(DOCUMENTS["demo-ui/features.json"]())


def test_committed_files_are_as_generated() -> None:
    assert out_of_date(ROOT) == []


def test_check_names_what_is_out_of_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--write"], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "docs" / "openapi.json").write_text("{}")
    (tmp_path / "docs" / "features.md").unlink()
    assert main(["--check"], tmp_path) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == [f"{name} is out of date: run make reference" for name in ("docs/features.md", "docs/openapi.json")]
    assert main([]) == main(["--check", "--write"]) == 2


def test_the_document_is_valid_openapi() -> None:
    openapi_spec_validator.validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"
    operated = {f"/_api/{page}" for page in ("transform", "remove-background", "sign", "images", "purge")}
    asked = {"/_api/explain", "/_api/translate", "/_api/capabilities", "/_api/openapi.json", "/_health", "/_ready"}
    uploads = {f"/_api/uploads{page}" for page in ("", "/{key}", "/parts", "/complete", "/abort")}
    uploads |= {"/_upload", "/_upload/part"}
    records = {f"/_api/records{page}" for page in ("", "/{id}", "/{id}/reprocess", "/{id}/variants/{number}")}
    records |= {"/_api/events"}
    actions = ("", "/results", "/results/{result}", "/preview", "/share", "/retry")
    gallery = {f"/_api/gallery/{page}" for page in ("session", "devices", "pictures", "uploads")}
    gallery |= {f"/_api/gallery/pictures/{{id}}{action}" for action in actions}
    everything = {"/{key}", "/_key/{key}", "/_canvas"} | asked | operated | uploads | records | gallery
    assert everything == set(DOCUMENT["paths"])


def test_every_field_of_an_upload_is_described() -> None:
    body = DOCUMENT["paths"]["/_api/uploads"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == set(UPLOAD_FIELDS)


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if "$ref" in part else [])
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def test_every_reference_leads_somewhere() -> None:
    for address in set(_references(DOCUMENT)):
        found: Any = DOCUMENT
        for name in address.removeprefix("#/").split("/"):
            found = found[name]
        assert found


@pytest.mark.parametrize(("feature", "field"), EVERY_FIELD, ids=lambda each: each.name)
def test_every_parameter_is_described(feature: Feature, field: Any) -> None:
    described = PARAMETERS[f"{feature.name}.{field.name}"]
    assert described["in"] == "query"
    assert field.description in described["description"]
    assert described["schema"]
    assert all(f"`{name}`" in PAGE for name in (field.name, *field.aliases))


def test_every_query_name_of_the_document_is_known() -> None:
    assert [name for name in PARAMETERS if not query.is_known(name)] == []
    assert set(query.CONTROLS) <= set(PARAMETERS)
    assert set(fields(Output)) <= set(PARAMETERS)


@pytest.mark.parametrize(("feature", "field"), EVERY_FIELD, ids=lambda each: each.name)
def test_defaults_and_choices_are_taken(feature: Feature, field: Any) -> None:
    """What the document says of a field, the field itself takes."""
    schema = PARAMETERS[f"{feature.name}.{field.name}"]["schema"]
    needed = {
        other.name: PARAMETERS[f"{feature.name}.{other.name}"]["schema"].get("examples", ["1"])[0]
        for other in fields(feature.params).values()
        if other.default is None and not other.optional
    }
    said = [schema["default"]] if "default" in schema else []
    said += schema.get("enum", []) + schema.get("examples", [])
    said += [schema[bound] for bound in ("minimum", "maximum") if bound in schema]
    for value in said:
        if feature.name in ("sharpen", "blur"):
            needed["sigma"] = "1"
        if feature.name == "convolve" and field.name in ("width", "height"):
            needed["kernel"] = ",".join("1" * value)
        if field.name.startswith("alphaMatting"):
            needed["alphaMatting"] = "true"
        if feature.name == "watermark":
            needed["key"] = "logo.png"
        if (feature.name, field.name) == ("redact", "labels"):
            needed["detect"] = "objects"
        if feature.name == "cutout" and field.name.startswith("shadow"):
            needed["shadow"] = "soft"
        needed |= OTHER_BOUND.get(field.name, {})
        is_other = field.name in OF_IMGPROXY or value in OF_IMGPROXY or (field.name, value) == ("dpr", 100.0)
        if feature.name == "resize" and is_other:
            needed["rules"] = "imgproxy"
        if (field.name, value) in (("aspectRatio", "16:9"), ("aspectRatio", 1.5)):
            needed["width"] = "10"
        check(feature.params, {**needed, field.name: str(value)}, where=feature.name, text=True)


def test_switches_by_a_features_own_name() -> None:
    for feature in CATALOGUE:
        kinds = PARAMETERS[feature.name]["schema"]
        assert {"type": "boolean"} in kinds.get("anyOf", [kinds])
        assert edits({feature.name: "false"}, text=True) == ()


def test_refusals_have_the_error_schema() -> None:
    responses = DOCUMENT["paths"]["/{key}"]["get"]["responses"]
    assert {"200", "304", "400", "403", "404", "413", "415", "422", "504"} <= set(responses)
    answer = DOCUMENT["components"]["responses"]["400"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/Error"}
    assert DOCUMENT["components"]["schemas"]["Error"]["required"] == ["status", "code", "message"]


def test_only_the_operator_transforms() -> None:
    assert DOCUMENT["paths"]["/_api/transform"]["post"]["security"] == [{"operator": []}]


def test_the_page_has_a_section_for_each_feature_in_order() -> None:
    sections = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert sections == [*(feature.name for feature in CATALOGUE), "Output", "Spellings"]
    assert all(feature.help in PAGE for feature in CATALOGUE)
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert links <= {section.lower() for section in sections}
    assert all(line.count(" | ") >= 2 for line in PAGE.splitlines() if line.startswith("|"))


def test_the_page_says_ranges_units_and_defaults() -> None:
    assert "| `size` | whole number, 2 to 1000 px | `10` | Side of a square |" in PAGE
    assert "| `key` | text, 1 to 1024 characters | required | Key of the nine-patch |" in PAGE
    assert "| `width` | number, above 0 to 100 % |  | Width relative to the image's; its aspect ratio is kept |" in PAGE
    assert "| `tile` | `true`, `false` | `false` | Repeat the overlay over the whole image |" in PAGE


def test_every_setting_is_on_the_page() -> None:
    page = DOCUMENTS["docs/configuration.md"]()
    assert all(f"| `{setting.variable}` |" in page for setting in SETTINGS.values())
    assert "| `ENABLE_SIGNATURE` | `No` | Refuse requests for images whose URL is not signed |" in page
    assert "| `IGNORED_PARAMETERS` | `utm_*,fbclid,gclid` |" in page


def test_controls_tell_a_page_all_it_needs() -> None:
    assert [feature["name"] for feature in CONTROLS["features"]] == [feature.name for feature in CATALOGUE]
    kinds = {"switch", "integer", "number", "text", "color", "length", "point", "ratio", "names", "numbers", "backdrop"}
    kinds |= {"gravity", "format-quality", "boxes"}
    every = [one for feature in CONTROLS["features"] for one in feature["parameters"]] + CONTROLS["output"]
    assert {one["control"] for one in every} <= kinds | {"choice", "position"}
    assert all(one["choices"] for one in every if one["control"] in ("choice", "position"))
    assert all(one["help"] for one in every)
    blur = next(feature for feature in CONTROLS["features"] if feature["name"] == "blur")
    said = {"name": "sigma", "min": 0.3, "max": 1000, "usual": [0.3, 50], "unit": "px"}
    assert blur["parameters"][0] | said == blur["parameters"][0]
    assert [feature["name"] for feature in CONTROLS["features"] if feature.get("box")] == ["crop", "extract"]


def test_a_slider_stays_within_the_bounds() -> None:
    every = [one for feature in CONTROLS["features"] for one in feature["parameters"]] + CONTROLS["output"]
    for one in every:
        assert ("usual" in one) == (one["control"] in ("integer", "number"))
        if "usual" in one:
            least, most = one["usual"]
            assert one.get("min", one.get("above", least)) <= least < most <= one.get("max", one.get("below", most))
            assert one["default"] is None or least <= one["default"] <= most


def test_what_a_feature_is_switched_on_with_is_taken() -> None:
    for feature, said in zip(CATALOGUE, CONTROLS["features"], strict=True):
        check(feature.params, said.get("start", {}), where=feature.name)
    starts = {feature["name"]: feature.get("start") for feature in CONTROLS["features"]}
    assert starts["blur"] == {"sigma": 5.0}
    assert starts["watermark"]["key"] == "{logo}"


def test_nothing_generated_names_a_machine() -> None:
    here = "|".join(re.escape(f"{folder}/") for folder in (ROOT, Path.home()))
    for made in DOCUMENTS.values():
        assert not re.search(rf"/home/|/tmp/|{here}|object at 0x", made())
