"""Every feature of the catalogue, through the whole run, on every kind of file; and the order in which they apply."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import pyvips
from tests.pictures import NAMES, sample, svg
from tests.weights import WEIGHTS, require_weights

from features import CATALOGUE, by_name, edits, feature_aliases
from imaging import (
    Context,
    Feature,
    InvalidParameter,
    Limits,
    ObjectRef,
    Output,
    Rendered,
    Report,
    Step,
    check,
    fields,
    run,
)
from imaging.codecs.decode import decode, inspect
from imaging.detection import DetectionNotConfigured, Found, Kind, Label, Region

NEEDED = {"key": "logo", "color": "teal", "amount": 20, "text": "Hg"}
OWN: dict[str, dict[str, object]] = {
    "affine": {"matrix": "1,0.1,0,1"},
    "recomb": {"matrix": "0,0,1,0,1,0,1,0,0"},
    "boolean": {"operator": "or"},
    "bandbool": {"operator": "and"},
    "convolve": {"kernel": "0,0,0,0,1,0,0,0,0"},
    "clahe": {"width": 3, "height": 3},
    "toColourspace": {"colourspace": "b-w"},
    "extractChannel": {"channel": "red"},
    "negate": {"alpha": False},
    "vividness": {"factor": 2},
    "waveletSharpen": {"amount": 2},
    "watermark": {"key": "logo"},
    # What covers the whole image makes all frames of an animation the same.
    "shape": {"width": "50p"},
}

"""For the parameters that have no default."""


class Sight(DetectionNotConfigured):
    """Somebody who sees a face and a weapon in every picture."""

    def faces(self) -> tuple[Region, ...]:
        return (Region(0.2, 0.1, 0.4, 0.5),)

    def find(self, kind: Kind, frames: range, overlay: tuple[str, str] | None) -> tuple[Found, ...]:
        return tuple(Found(Region(0.2, 0.1, 0.4, 0.5), frame) for frame in frames)

    def labels(self) -> tuple[Label, ...] | None:
        return (Label("Weapons", 90.0, ("Violence",)),)


CONTEXT = Context(objects={ObjectRef("", "logo"): svg()}, weights=str(WEIGHTS), vision=Sight())


def step(feature: Feature) -> Step:
    """The feature with its defaults."""
    said = {
        name: NEEDED[name] for name, field in fields(feature.params).items() if name in NEEDED and not field.optional
    }
    return Step(feature, check(feature.params, {**said, **OWN.get(feature.name, {})}, where=feature.name))


CLASSES = (
    "jpeg",
    "jpeg-turned",
    "jpeg-grey",
    "png-16",
    "png-alpha",
    "png-grey-alpha",
    "svg",
    "webp-animated",
    "gif-animated",
    "avif-animated",
)
"""Files whose pixels differ, once decoded, in what a feature sees of them."""
PASSED = [feature for feature in CATALOGUE if feature.name != "removeBackground"]
BY_WAY: dict[str, object] = {"resize": {"width": 50}, "rotate": 33, "blur": 2, "info": True}
"""Features that read pixels differently: reduced by the decoder, out of order, with their neighbours, not at all."""


def seen(name: str) -> tuple[object, ...]:
    """Return what a feature can see of a decoded file: bands, type, alpha, frames, and whether it is read once."""
    original = sample(name).body
    picture = decode(original, inspect(original, Limits()), Output(format="webp"), Context())
    image = picture.image
    once = bool(image.get_typeof("vips-sequential") and image.get("vips-sequential"))
    return image.bands, image.interpretation, image.format, picture.has_alpha, picture.frames, once


def test_every_kind_of_file_is_one_of_these_classes() -> None:
    assert {seen(name) for name in NAMES} == {seen(name) for name in CLASSES}


def goes_through(name: str, steps: Sequence[Step]) -> None:
    """The run ends with a report, or with a picture of the size that it tells."""
    outcome = run(sample(name).body, steps, Output(format="webp"), CONTEXT)
    if steps[-1].feature.group == "report":
        assert isinstance(outcome, Report)
        return
    assert isinstance(outcome, Rendered)
    moving = name.endswith("animated")
    shown = pyvips.Image.new_from_buffer(outcome.body, "", n=-1 if moving else 1)
    assert (shown.width, shown.height) == (outcome.width, outcome.height * (3 if moving else 1))
    assert shown.avg() > 0


@pytest.mark.parametrize("feature", PASSED, ids=lambda feature: feature.name)
@pytest.mark.parametrize("name", CLASSES)
def test_every_feature_takes_every_class_of_pixels(name: str, feature: Feature) -> None:
    goes_through(name, [step(feature)])


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_file_is_read_in_every_way(name: str) -> None:
    for feature, said in BY_WAY.items():
        goes_through(name, edits({feature: said}))


@pytest.mark.models
@pytest.mark.parametrize("name", ["jpeg-turned", "png-grey-alpha", "gif-animated", "heic"])
def test_the_background_is_taken_out_of_every_class_of_original(name: str) -> None:
    require_weights("optimised")
    goes_through(name, [step(by_name("removeBackground"))])


def test_names_and_aliases_are_nobody_elses() -> None:
    said = [name for feature in CATALOGUE for name in (feature.name, *feature_aliases(feature.name))]
    assert len(said) == len(set(said))
    assert by_name("greyscale").name == "grayscale"
    with pytest.raises(
        InvalidParameter,
        match=r"`feature` must be one of contentModeration, redact, redEye, smartCropping, .*, got 'no-such-feature'",
    ):
        by_name("no-such-feature")


def test_order_is_that_of_sharp() -> None:
    asked = {"info": True, "flatten": True, "watermark": "logo", "blur": 2, "resize": {"width": 9}, "tint": "red"}
    assert [each.feature.name for each in edits(asked)] == ["resize", "blur", "watermark", "tint", "flatten", "info"]
