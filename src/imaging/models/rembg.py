"""Runs rembg's models with the weights of this service, and with code for pymatting that was compiled at set-up.

rembg imports pymatting, which compiles its functions by numba on import. That takes half a minute, so set-up compiles
them once, for any processor of the architecture.
"""

from __future__ import annotations

import atexit
import os
import platform
import shutil
import tempfile
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imaging.errors import Unavailable

COMPILED = "numba"
"""The folder of the compiled code within that of the weights."""
NOTE = "made-with"
"""The file in a folder that set-up has made which holds the versions that it was made with."""
MISSING = "rembg is missing: pip install '.[models]' in a checkout"


def session_class(model: str, weights: str | None) -> Any:
    """Return rembg's class for a model whose weights are installed. Raises Unavailable, which says what is missing."""
    if weights is None:
        raise Unavailable("no folder of weights is set (WEIGHTS)")
    use_compiled_code(find_compiled_code(weights))
    return local_session_class(model, Path(weights), fetch=False)


def local_session_class(model: str, weights: Path, *, fetch: bool) -> Any:
    """Return rembg's class for a model, with that folder as the place of its weights.

    Where the weights are missing, it downloads them with `fetch`, and raises Unavailable otherwise.
    """
    try:
        from rembg.sessions import sessions  # noqa: PLC0415 - a second
    except ImportError:
        raise Unavailable(MISSING) from None
    base = sessions[model]

    def home(_class: Any, *_args: Any, **_more: Any) -> str:
        return str(weights)

    def existing(cls: Any, name: str, *args: Any, **more: Any) -> str | None:
        found: str | None = base.resolve_existing.__func__(cls, name, *args, **more)
        if found is None and not fetch:
            raise Unavailable(f"the weights of {model} are missing ({name}): run `image-handler weights {model}`")
        return found

    methods: dict[str, Any] = {"rembg_home": home, "legacy_home": home, "resolve_existing": existing}
    return type(base.__name__, (base,), {name: classmethod(method) for name, method in methods.items()})


def find_compiled_code(weights: str | None) -> str:
    """Return the folder for `use_compiled_code`. Raises Unavailable where it is not made for the installed versions."""
    folder = Path(weights or "", COMPILED)
    note = folder / NOTE
    if weights is None or not note.exists() or note.read_text(encoding="utf-8") != compiled_versions():
        raise Unavailable("what rembg and matting need is not compiled: run `image-handler weights`")
    return _writable(folder)


def compiled_versions() -> str:
    """Return the versions that the compiled code depends on, and the path of its source, which numba checks too.

    Raises Unavailable without rembg.
    """
    pymatting, rembg = find_spec("pymatting"), find_spec("rembg")
    if pymatting is None or rembg is None:
        raise Unavailable(MISSING)
    versions = [f"{name} {version(name)}" for name in ("numba", "pymatting")]
    return ", ".join([*versions, f"Python {platform.python_version()}", platform.machine(), str(pymatting.origin)])


def use_compiled_code(folder: str) -> None:
    """Have numba read and store compiled code in that folder, for any processor of this architecture.

    It must be called before rembg is imported.
    """
    try:
        import numba  # noqa: PLC0415 - a third of a second
    except ImportError:
        raise Unavailable(MISSING) from None
    # As NUMBA_CPU_NAME=generic and NUMBA_CACHE_DIR would set them; this code leaves the environment alone.
    config: Any = numba.config
    config.CPU_NAME, config.CPU_FEATURES, config.CACHE_DIR = "generic", "", folder


@cache
def _writable(folder: Path) -> str:
    """Return the folder, or a copy of its three megabytes in /tmp where it is read-only, as in Lambda.

    numba needs a folder that it can write to.
    """
    if os.access(folder, os.W_OK):
        return str(folder)
    copy = Path(tempfile.mkdtemp(prefix="compiled-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for path in filter(Path.is_file, folder.rglob("*")):
        target = copy / path.relative_to(folder)
        target.parent.mkdir(exist_ok=True)
        # Without its permissions, which would make the copy read-only too.
        shutil.copyfile(path, target)
    return str(copy)
