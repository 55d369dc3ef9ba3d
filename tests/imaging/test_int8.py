"""U²-Net in eight bits, made and asked as set-up and requests do it."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
import pyvips
from tests import similarity
from tests.client import Client
from tests.weights import PHOTOS, require_weights

from features.remove_background.masks import subject_mask
from handler.cli.model_files import WeightsError, prepare
from imaging import Unavailable
from imaging.context import Context

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both versions."""
    folder = tmp_path_factory.mktemp("weights")
    for name in ("u2net.onnx", "optimised", "numba"):
        (folder / name).symlink_to(require_weights("u2net.onnx", "optimised/made-with", "numba/made-with") / name)
    said = list(prepare(folder, ["u2net-int8"], sorted(PHOTOS.iterdir())))
    assert said == ["quantising u2net, half a minute"]
    assert list(prepare(folder, ["u2net-int8"], sorted(PHOTOS.iterdir()))) == []
    return folder


def test_its_masks_are_those_of_the_whole_model(weights: Path) -> None:
    context = Context(weights=str(weights))

    def apart(path: Path) -> float:
        photo = pyvips.Image.new_from_file(str(path)).autorot()
        whole, int8 = (subject_mask(photo, model, context) for model in ("u2net", "u2net-int8"))
        return similarity.mean_difference(whole, int8)

    differences = [apart(path) for path in sorted(PHOTOS.iterdir())]
    assert statistics.mean(differences) < 1
    assert max(differences) < 4
    assert any(differences), "it is another model"


def test_it_is_asked_by_name_and_takes_a_third_of_the_space(weights: Path) -> None:
    client = Client({"SOURCE_BUCKETS": f"p={PHOTOS.as_uri()}", "PUBLIC_FEATURES": "*", "WEIGHTS": str(weights)})
    answer = client.get("/cat.jpg?removeBackground.model=u2net-int8&format=png")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    size = sum(path.stat().st_size for path in (weights / "int8").iterdir())
    assert size < (weights / "u2net.onnx").stat().st_size / 2


def test_without_it_the_refusal_says_what_to_run(tmp_path: Path) -> None:
    context, photo = Context(weights=str(tmp_path)), pyvips.Image.black(8, 8, bands=3)
    with pytest.raises(Unavailable, match="run `image-handler weights u2net-int8`"):
        subject_mask(photo, "u2net-int8", context)


def test_it_needs_photographs(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="the folder has none: pass --pictures DIR"):
        list(prepare(tmp_path, ["u2net-int8"]))
