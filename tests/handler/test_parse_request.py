"""What a path and its parameters ask for, and who may ask."""

from __future__ import annotations

import base64
import json

import pytest
from msgspec.structs import replace

from features import CATALOGUE
from handler.auth.authenticate import Caller
from handler.core.errors import BadRequest, Forbidden, NotFound
from handler.requests.dialects import select
from handler.requests.image_request import ImageRequest
from handler.requests.parse import parse_request
from handler.requests.policy import Policy
from handler.requests.presets import read_presets, read_recipe
from imaging import InvalidParameter, ObjectRef, Output

THUMB = Policy(presets=read_presets({"thumb": {"resize": {"width": 99}, "toFormat": "webp"}, "soft": "blur.sigma=3"}))


def ask(path: str, policy: Policy = THUMB, caller: Caller = Caller.ANYONE, /, **said: str) -> ImageRequest:
    return parse_request(
        path, [(name.replace("__", "."), value) for name, value in said.items()], policy, caller=caller
    )


def names(request: ImageRequest) -> list[str]:
    return [step.feature.name for step in request.steps]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/cat.jpg", "cat.jpg"),
        ("/_key/cat.jpg", "cat.jpg"),
        ("/_key//x", "/x"),
        ("/a b/%41.jpg", "a b/%41.jpg"),
        ("/_key/_key/x", "_key/x"),
    ],
)
def test_a_path_names_a_key(path: str, key: str) -> None:
    assert ask(path).source == ObjectRef("", key)


def test_a_json_path_behind_the_key_prefix_is_a_key() -> None:
    path = base64.b64encode(json.dumps({"key": "cat.jpg"}).encode()).decode()
    assert ask("/" + path).source == ObjectRef("", "cat.jpg")
    assert ask("/_key/" + path).source == ObjectRef("", path)
    assert ask("/" + path, replace(THUMB, dialects=select(("query",)))).source == ObjectRef("", path)


def test_query_parameters_apply_on_top_of_json() -> None:
    said = {"key": "cat.jpg", "edits": {"blur": {"sigma": 5}, "flip": True}, "outputFormat": "png"}
    request = ask("/" + base64.b64encode(json.dumps(said).encode()).decode(), blur__sigma="2", quality="7")
    assert sorted(names(request)) == ["blur", "flip"]
    assert next(step for step in request.steps if step.feature.name == "blur").params == CATALOGUE_PARAMS(
        "blur", sigma=2.0
    )
    assert request.output == Output(format="png", quality=7)


def in_json(**edits: object) -> str:
    return "/" + base64.b64encode(json.dumps({"key": "cat.jpg", "edits": edits}).encode()).decode()


@pytest.mark.parametrize(
    ("path", "said", "left"),
    [
        (in_json(grayscale=True, flip=True), {"grayscale": "0"}, ["flip"]),
        (in_json(grayscale=True, flip=True), {"flip": "", "grayscale": "false"}, []),
        (in_json(rotate=90), {"rotate": ""}, []),
        (in_json(gamma=2), {"gamma": "false"}, []),
        ("/unsafe/filters:grayscale():blur(3)/cat.jpg", {"blur": "false"}, ["recomb"]),
        ("/filters:grayscale()/cat.jpg", {"grayscale": "0"}, []),
        ("/cat.jpg", {"preset": "grey", "grayscale": "0"}, ["blur"]),
        (in_json(flip=True), {"preset": "grey", "grayscale": "0", "flip": "0"}, ["blur"]),
    ],
)
def test_the_query_switches_off_features_of_the_path(path: str, said: dict[str, str], left: list[str]) -> None:
    policy = replace(THUMB, presets=read_presets({"grey": {"grayscale": True, "blur": 3}}))
    assert names(ask(path, policy, **said)) == left
    always = replace(policy, always=read_recipe({"grayscale": True}))
    assert names(ask("/cat.jpg", always, grayscale="0")) == ["grayscale"]


@pytest.mark.parametrize("name", ["redact", "contentModeration"])
def test_an_empty_value_does_not_switch_off_what_hides(name: str) -> None:
    with pytest.raises(InvalidParameter, match=f"`{name}` must be true, false or what to hide, got ''"):
        ask("/cat.jpg", **{name: ""})
    assert names(ask("/cat.jpg", **{name: "false", "blur": "", "watermark": ""})) == []


def CATALOGUE_PARAMS(name: str, **fields: object) -> object:  # noqa: N802 - reads as the constant that it stands for
    return next(feature for feature in CATALOGUE if feature.name == name).params(**fields)


def test_a_preset_is_the_base_and_the_url_wins() -> None:
    request = ask("/cat.jpg", preset="thumb", width="50")
    assert names(request) == ["resize"]
    assert request.steps[0].params == CATALOGUE_PARAMS("resize", width=50)
    assert request.output.format == "webp"
    assert names(ask("/cat.jpg", preset="soft")) == ["blur"]


def test_an_unknown_preset_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match="thumb, soft"):
        ask("/cat.jpg", preset="nosuch")


@pytest.mark.parametrize(
    "said",
    [{}, {"width": "5"}, {"preset": "thumb", "width": "5"}, {"preset": "thumb", "bucket": "b"}, {"info": "true"}],
)
def test_presets_only_refuses_everything_else(said: dict[str, str]) -> None:
    with pytest.raises(Forbidden, match="PRESETS_ONLY"):
        ask("/cat.jpg", replace(THUMB, presets_only=True), **said)


def test_presets_only_names_what_it_refuses() -> None:
    policy = replace(THUMB, presets_only=True)
    with pytest.raises(Forbidden, match="got edits in the path"):
        ask("/300x200/cat.jpg", policy, preset="thumb")
    with pytest.raises(Forbidden, match="got `width`"):
        ask("/cat.jpg", policy, preset="thumb", width="5")


def test_presets_only_lets_presets_through() -> None:
    request = ask("/cat.jpg", replace(THUMB, presets_only=True), preset="thumb", v="3")
    assert names(request) == ["resize"]


def test_always_comes_last_but_before_a_report_and_its_output_wins() -> None:
    policy = replace(THUMB, always=read_recipe({"grayscale": True, "toFormat": "png"}))
    request = ask("/cat.jpg", policy, info="true", width="5", format="webp")
    assert names(request) == ["resize", "grayscale", "info"]
    assert request.output.format == "png"
    assert names(ask("/cat.jpg", policy)) == ["grayscale"]


def test_what_is_dear_is_refused_without_a_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    from features import catalogue

    blur = next(feature for feature in CATALOGUE if feature.name == "blur")
    dear = replace(blur, expensive=True)
    loaded = catalogue._load
    monkeypatch.setattr(catalogue, "_load", lambda name: dear if name == "blur" else loaded(name))
    with pytest.raises(Forbidden, match="PUBLIC_FEATURES"):
        ask("/cat.jpg", blur__sigma="2")
    for policy, caller in [
        (replace(THUMB, public_features=("blur",)), Caller.ANYONE),
        (replace(THUMB, public_features=("*",)), Caller.ANYONE),
        (THUMB, Caller.SIGNED),
        (THUMB, Caller.OPERATOR),
    ]:
        assert names(ask("/cat.jpg", policy, caller, blur__sigma="2")) == ["blur"]
    samples = replace(THUMB, public_sources=("samples",))
    assert names(ask("/cat.jpg", samples, bucket="samples", blur__sigma="2")) == ["blur"]
    with pytest.raises(Forbidden, match="PUBLIC_FEATURES"):
        ask("/cat.jpg", samples, bucket="photos", blur__sigma="2")
    for bucket in ({"watermark.bucket": "photos"}, {}):
        with pytest.raises(Forbidden, match="PUBLIC_FEATURES"):
            ask("/cat.jpg", samples, bucket="samples", blur__sigma="2", watermark__key="logo.png", **bucket)
    marked = {"watermark.key": "logo.png", "watermark.bucket": "samples"}
    assert set(names(ask("/cat.jpg", samples, bucket="samples", blur__sigma="2", **marked))) == {"blur", "watermark"}
    # What the operator has named, anyone may ask for.
    assert names(ask("/cat.jpg", preset="soft")) == ["blur"]


def test_no_key_is_no_picture() -> None:
    with pytest.raises(NotFound):
        ask("/")


def test_a_bad_value_names_field_expectation_and_what_came() -> None:
    with pytest.raises(InvalidParameter) as refused:
        ask("/cat.jpg", blur__sigma="0")
    assert refused.value.name == "blur.sigma"
    assert "0.3" in refused.value.message
    assert "'0'" in refused.value.message


def test_public_features_must_exist() -> None:
    assert Policy(public_features=("nosuch", "*")).faults() == ["PUBLIC_FEATURES: no feature is called 'nosuch'"]


@pytest.mark.parametrize("said", ["bucket=b&width=3", "preset=soft", "v=1", "expires=20300101T000000Z", "signature=x"])
def test_a_preset_holds_nothing_that_would_be_ignored(said: str) -> None:
    with pytest.raises(InvalidParameter, match=r"PRESETS\.a\."):
        read_presets({"a": said})
