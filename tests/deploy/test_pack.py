"""What is packed into the image still runs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.local_server import ROOT

IMPORTS = """
import sys
from pathlib import Path

parts = sys.argv[1:]

class Thrown:
    def find_spec(self, name, path=None, target=None):
        if any((name + '.').startswith(part.replace('/', '.') + '.') for part in parts):
            raise ImportError(name)

sys.meta_path.insert(0, Thrown())
import imagehash, numpy, pymatting, rembg.bg, rembg.sessions
from PIL import Image
from rembg.sessions import sam
from skimage.morphology import disk, opening
imagehash.phash(Image.new('RGB', (64, 64)))
assert opening(numpy.ones((20, 20), bool), disk(2)).all()
assert sam.map_coordinates(numpy.ones((2, 2)), [[0.5], [0.5]]) == [1]
"""


@pytest.fixture(scope="module")
def pack() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pack", ROOT / "deploy/image/pack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_that_runs_imports_what_is_thrown_out(pack: ModuleType) -> None:
    parts = [part for part in pack.UNUSED_PARTS if not part.startswith("onnxruntime/")]
    # In a new environment pymatting is compiled when it is imported: half a minute, or minutes on a busy machine.
    subprocess.run([sys.executable, "-c", IMPORTS, *parts], check=True, timeout=600)


def test_a_library_without_its_symbols_is_loaded(pack: ModuleType, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("msgspec._core")
    assert spec is not None
    assert spec.origin is not None
    library = tmp_path / "library.so"
    library.write_bytes(Path(spec.origin).read_bytes())
    before = library.stat().st_size
    pack.strip(tmp_path)
    assert library.stat().st_size < before
    # In another process: what is loaded must not be written to, as the next lines do.
    load = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).PyInit__core"
    subprocess.run([sys.executable, "-c", load, library], check=True)
    after = library.read_bytes()
    pack.strip(tmp_path)
    assert library.read_bytes() == after


def test_what_is_no_library_stays_as_it_is(pack: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "library.so.1").write_bytes(b"INPUT(libc.so.6)")
    (tmp_path / "link.so").symlink_to("library.so.1")
    pack.strip(tmp_path)
    assert (tmp_path / "library.so.1").read_bytes() == b"INPUT(libc.so.6)"
    assert (tmp_path / "link.so").is_symlink()
