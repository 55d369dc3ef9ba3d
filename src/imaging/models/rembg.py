"""rembg's sessions, at home in our folder of weights, and what numba compiles for pymatting, which rembg imports whole.

That is compiled at set-up for any processor of the architecture, so that no request waits half a minute for it.
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
"""Within the folder of the weights."""
NOTE = "made-with"
"""File in there that tells for which versions."""
MISSING = "rembg is missing: pip install 'image-handler[models]'"


def session_class(model: str, weights: str | None) -> Any:
    """rembg's class for a model whose weights are in place, never to be fetched; Unavailable says what is missing."""
    if weights is None:
        raise Unavailable("no folder of weights is set (WEIGHTS)")
    use_compiled_code(find_compiled_code(weights))
    return local_session_class(model, Path(weights), fetch=False)


def local_session_class(model: str, weights: Path, *, fetch: bool) -> Any:
    """rembg's class for a model, at home in that folder; what is not there it fetches, or Unavailable."""
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
    """The folder that `use_compiled` wants; Unavailable where set-up has not made it for what is installed."""
    folder = Path(weights or "", COMPILED)
    note = folder / NOTE
    if weights is None or not note.exists() or note.read_text(encoding="utf-8") != compiled_versions():
        raise Unavailable("what rembg and matting need is not compiled: run `image-handler weights`")
    return _writable(folder)


def compiled_versions() -> str:
    """What the compiled code depends on; numba knows it by the place of its source, too. Unavailable without rembg."""
    pymatting, rembg = find_spec("pymatting"), find_spec("rembg")
    if pymatting is None or rembg is None:
        raise Unavailable(MISSING)
    versions = [f"{name} {version(name)}" for name in ("numba", "pymatting")]
    return ", ".join([*versions, f"Python {platform.python_version()}", platform.machine(), str(pymatting.origin)])


def use_compiled_code(folder: str) -> None:
    """Let numba keep its code there, made for any processor of this architecture; before rembg is imported."""
    try:
        import numba  # noqa: PLC0415 - a third of a second
    except ImportError:
        raise Unavailable(MISSING) from None
    # What NUMBA_CPU_NAME=generic and NUMBA_CACHE_DIR would say; nothing here touches the environment.
    config: Any = numba.config
    config.CPU_NAME, config.CPU_FEATURES, config.CACHE_DIR = "generic", "", folder


@cache
def _writable(folder: Path) -> str:
    """numba wants to write there, too: where it cannot, as in Lambda, it gets a copy of three megabytes in /tmp."""
    if os.access(folder, os.W_OK):
        return str(folder)
    copy = Path(tempfile.mkdtemp(prefix="compiled-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for path in filter(Path.is_file, folder.rglob("*")):
        target = copy / path.relative_to(folder)
        target.parent.mkdir(exist_ok=True)
        # Without its permissions, which do not let it be written.
        shutil.copyfile(path, target)
    return str(copy)
