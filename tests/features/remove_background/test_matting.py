"""Matting against rembg's, killed at the deadline, and on an installation that nobody may write to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from tests import similarity
from tests.tools import require_tool
from tests.weights import PHOTOS, rembg, require_weights

from features.remove_background import masks, matting
from features.remove_background.parameters import RemoveBackground
from imaging.context import Context, Deadline
from imaging.errors import TimeExceeded, Unavailable

WANTED = RemoveBackground(alpha_matting=True)
SIDE = 240


@pytest.fixture(scope="module")
def context() -> Context:
    return Context(weights=str(require_weights("optimised/u2net.onnx", "numba/made-with")))


@pytest.fixture(scope="module")
def picture() -> Any:
    return pyvips.Image.new_from_file(str(PHOTOS / "astronaut.jpg")).crop(110, 0, SIDE, SIDE).copy_memory()


@pytest.fixture(scope="module")
def mask(picture: Any, context: Context) -> Any:
    return masks.subject_mask(picture, "u2net", context)


def test_edges_are_those_of_rembg(picture: Any, mask: Any, context: Context) -> None:
    rembg()
    from PIL import Image
    from rembg.bg import alpha_matting_cutout

    pixels = np.frombuffer(picture.write_to_memory(), np.uint8).reshape(SIDE, SIDE, 3)
    levels = np.frombuffer(mask.write_to_memory(), np.uint8).reshape(SIDE, SIDE)
    theirs = alpha_matting_cutout(Image.fromarray(pixels), Image.fromarray(levels), 240, 10, 10).getchannel("A")
    expected = pyvips.Image.new_from_memory(theirs.tobytes(), SIDE, SIDE, 1, "uchar")
    found = matting.matted(picture, mask, WANTED, context)
    assert similarity.mean_difference(found, expected) < 0.5
    # And it does something.
    assert similarity.mean_difference(found, mask) > 1


def test_thresholds_leave_more_or_less_open(picture: Any, mask: Any, context: Context) -> None:
    wide = RemoveBackground(alpha_matting=True, alpha_matting_erode_size=25)
    hard = RemoveBackground(
        alpha_matting=True,
        alpha_matting_erode_size=0,
        alpha_matting_foreground_threshold=130,
        alpha_matting_background_threshold=120,
    )
    normal, wider, harder = (matting.matted(picture, mask, each, context) for each in (WANTED, wide, hard))
    assert similarity.mean_difference(wider, normal) > 0.2
    assert similarity.mean_difference(harder, normal) > 0.2


def test_a_mask_that_leaves_nothing_to_go_by_stays_as_it_is(picture: Any, context: Context) -> None:
    flat = (pyvips.Image.black(SIDE, SIDE) + 128).cast("uchar")
    assert similarity.mean_difference(matting.matted(picture, flat, WANTED, context), flat) == 0


def test_at_most_a_megapixel_is_matted(
    picture: Any, mask: Any, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []

    def isolated(_deadline: Deadline, _work: Any, pixels: Any, sure: Any, *_: Any) -> bytes:
        shapes.append((pixels.shape, sure.shape))
        return bytes(sure)

    monkeypatch.setattr(matting, "run_isolated", isolated)
    found = matting.matted(picture.resize(8), mask.resize(8), WANTED, context)
    assert shapes == [((1000, 1000, 3), (1000, 1000))]
    assert (found.width, found.height, found.format) == (8 * SIDE, 8 * SIDE, "uchar")
    assert similarity.mean_difference(found, mask.resize(8)) < 1


def test_it_is_killed_at_the_deadline(picture: Any, mask: Any, context: Context) -> None:
    late = Context(weights=context.weights, deadline=Deadline.after(0.3))
    started = time.monotonic()
    with pytest.raises(TimeExceeded):
        matting.matted(picture.resize(4), mask.resize(4), WANTED, late)
    assert time.monotonic() - started < 60


def test_without_compiled_code_what_to_do_is_told(picture: Any, mask: Any, tmp_path: Path) -> None:
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "made-with").write_text("numba 0.1")
    for weights in (None, str(tmp_path / "nowhere"), str(tmp_path)):
        with pytest.raises(Unavailable, match="run `image-handler weights`"):
            matting.matted(picture, mask, WANTED, Context(weights=weights))


PROGRAM = """
import os, sys
import llvmlite.binding

llvmlite.binding.get_host_cpu_name = lambda: "znver9"
from imaging.models import rembg

folder = rembg.find_compiled_code(sys.argv[1])
assert folder != os.path.join(sys.argv[1], "numba"), "it must not be possible to write there"
rembg.use_compiled_code(folder)
import pymatting
print("imported")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="takes its rights away with setpriv, which only Linux has")
def test_nothing_is_compiled_on_a_read_only_installation_with_another_processor(
    context: Context, tmp_path: Path
) -> None:
    setpriv = require_tool("setpriv", "apt-get install util-linux")
    frozen = tmp_path / "weights"
    shutil.copytree(Path(str(context.weights), "numba"), frozen / "numba")
    for path in [*frozen.rglob("*"), frozen]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    # Even root may write nowhere then.
    rights = ["--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"] if os.getuid() == 0 else []
    command = [setpriv, "--no-new-privs", *rights, sys.executable, "-B", "-c", PROGRAM, str(frozen)]
    started = time.monotonic()
    ran = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "NUMBA_DEBUG_CACHE": "1", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "imported"
    assert "data loaded from" in ran.stdout
    assert "data saved to" not in ran.stdout
    assert time.monotonic() - started < 60
    assert list(tmp_path.iterdir()) == [frozen], "what was copied is gone with its process"
