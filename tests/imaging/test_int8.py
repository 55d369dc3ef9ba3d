"""U²-Net in eight bits, made and asked as set-up and requests do it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pyvips
from tests import similarity
from tests.client import Client
from tests.weights import PHOTOS, require_weights

from features.remove_background import choice
from features.remove_background.masks import subject_mask
from handler.cli.model_files import prepare
from handler.config import Settings
from imaging import Unavailable
from imaging.context import Context
from imaging.models import int8, saliency

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both versions."""
    folder = tmp_path_factory.mktemp("weights")
    for name in ("u2net.onnx", "optimised", "numba"):
        (folder / name).symlink_to(require_weights("u2net.onnx", "optimised/made-with", "numba/made-with") / name)
    assert list(prepare(folder, ["u2net-int8"])) == ["quantising u2net, ten seconds"]
    assert list(prepare(folder, ["u2net-int8"])) == []
    return folder


def test_its_masks_are_those_of_the_whole_model(weights: Path) -> None:
    context = Context(weights=str(weights))

    def apart(path: Path) -> float:
        photo = pyvips.Image.new_from_file(str(path)).autorot()
        whole, quantised = (subject_mask(photo, model, context) for model in ("u2net", "u2net-int8"))
        return similarity.mean_difference(whole, quantised)

    differences = [apart(path) for path in sorted(PHOTOS.iterdir())]
    assert statistics.mean(differences) < 1
    assert max(differences) < 1.5
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


def test_weights_other_than_those_of_the_checksum_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "ranges.json"
    text = int8.RANGES.read_text()
    other.write_text(text.replace("10.140490531921387", "11.0"))
    assert other.read_text() != text
    monkeypatch.setattr(int8, "RANGES", other)
    with pytest.raises(Unavailable, match=f"must have the checksum {int8.CHECKSUM}, got "):
        int8.quantise(require_weights("u2net.onnx") / "u2net.onnx", tmp_path / "other.onnx")


def _etag_and_model(weights: Path, query: str = "", **environment: str) -> tuple[str, set[str]]:
    """Return the ETag of a cut-out, and the models that drew it as the names of its masks tell."""
    drawn: set[str] = set()

    def compute_saliency(*args: Any) -> Any:
        drawn.add(args[3])
        return saliency.compute_saliency(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("features.remove_background.masks.compute_saliency", compute_saliency)
        variables = {"SOURCE_BUCKETS": f"p={PHOTOS.as_uri()}", "PUBLIC_FEATURES": "*", "WEIGHTS": str(weights)}
        answer = Client({**variables, **environment}).get(f"/cat.jpg?removeBackground=true&format=png&width=99{query}")
    assert answer.status == 200
    return answer.headers["ETag"], drawn


@pytest.fixture
def processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A function that has the process run on a processor with these features."""

    def set_features(line: str) -> None:
        (tmp_path / "cpuinfo").write_text(f"processor : 0\n{line}\n\nprocessor : 1\n{line}\n")
        monkeypatch.setattr("imaging.models.processor._CPUINFO", tmp_path / "cpuinfo")
        choice._fastest.cache_clear()

    yield set_features
    choice._fastest.cache_clear()


@pytest.mark.parametrize(
    ("features", "model"),
    [
        ("flags : fpu avx2 avx512_vnni", "u2net-int8"),
        ("flags : fpu avx2 avx_vnni", "u2net-int8"),
        ("Features : fp asimd asimddp", "u2net-int8"),
        ("flags : fpu avx2 avx512f", "u2net"),
        ("Features : fp asimd", "u2net"),
        ("", "u2net"),
    ],
)
def test_it_is_the_default_where_the_processor_multiplies_bytes(
    weights: Path, processor: Callable[[str], None], features: str, model: str
) -> None:
    processor(features)
    assert choice.choose_model(None, Context(weights=str(weights))) == model
    assert choice.choose_model("u2net", Context(weights=str(weights))) == "u2net"


def test_the_etag_tells_which_model_drew_a_result(weights: Path, processor: Callable[[str], None]) -> None:
    processor("flags : avx512_vnni")
    int8_etag, drawn = _etag_and_model(weights)
    assert drawn == {"u2net-int8"}
    assert _etag_and_model(weights, "&removeBackground.model=u2net")[1] == {"u2net"}
    assert _etag_and_model(weights, CUTOUT_MODEL="u2net-int8") == (int8_etag, {"u2net-int8"})
    exact_etag, drawn = _etag_and_model(weights, CUTOUT_MODEL="u2net")
    assert (exact_etag != int8_etag, drawn) == (True, {"u2net"})
    processor("flags : avx2")
    assert _etag_and_model(weights) == (exact_etag, {"u2net"})
    assert _etag_and_model(weights, CUTOUT_MODEL="u2net-int8") == (int8_etag, {"u2net-int8"})


def test_without_its_weights_the_exact_model_is_the_default(processor: Callable[[str], None], tmp_path: Path) -> None:
    processor("flags : avx512_vnni")
    assert choice.choose_model(None, Context(weights=str(tmp_path))) == "u2net"


@pytest.mark.parametrize(("machine", "model"), [("x86_64", "u2net"), ("aarch64", "auto")])
def test_functions_whose_processors_differ_use_the_exact_model(
    machine: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Machine(NamedTuple):
        machine: str

    monkeypatch.setattr("os.uname", lambda: Machine(machine))
    on_lambda = {"SOURCE_BUCKETS": "pictures", "AWS_LAMBDA_FUNCTION_NAME": "images"}
    assert Settings.from_environment(on_lambda).cutout_model == model
    assert Settings.from_environment({**on_lambda, "CUTOUT_MODEL": "u2net-int8"}).cutout_model == "u2net-int8"
    assert Settings.from_environment({"SOURCE_BUCKETS": "pictures"}).cutout_model == "auto"
