"""Set-up of the models: optimises, quantises, compiles and downloads, once and before any request."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import onnxruntime

from imaging.context import Deadline
from imaging.deadlines.killable_process import run_isolated
from imaging.models.int8 import CHECKSUM, quantise
from imaging.models.rembg import COMPILED, NOTE, compiled_versions, local_session_class, use_compiled_code
from imaging.models.saliency import MODEL, MODELS
from imaging.models.upscaling import MODEL as UPSCALING_MODEL
from imaging.models.upscaling import UPSCALING
from imaging.models.waifu2x import convert


def steps(weights: Path, original: Path | None, others: Sequence[str], *, quantised: bool) -> Iterator[str]:
    """Do what is missing, and yield a description of each step before it is done."""
    made_with = _made_with()
    if original is not None and not _is_made(weights / MODEL.parent, made_with):
        yield "optimising u2net"
        _make(weights / MODEL.parent, made_with, lambda at: _optimise(original, at))
    int8 = weights / MODELS["u2net-int8"].parent
    int8_with = f"{made_with}, {CHECKSUM}"
    if original is not None and quantised and not _is_made(int8, int8_with):
        yield "quantising u2net, ten seconds"
        _make(int8, int8_with, lambda at: _quantise(original, at))
    if find_spec("rembg") is None and not others:
        return
    if not _is_made(weights / COMPILED, compiled_versions()):
        yield "compiling what rembg needs, half a minute"
        # In another process: where numba is loaded already, it compiles for this processor instead of any.
        _make(weights / COMPILED, compiled_versions(), lambda at: run_isolated(Deadline(), _compile, str(at)))
    for model in others:
        yield f"fetching {model}"
        use_compiled_code(str(weights / COMPILED))
        local_session_class(model, weights, fetch=True).download_models()


def upscaling_steps(weights: Path, original: Path) -> Iterator[str]:
    """Make the network of upscaling from its published weights, unless it is there, and yield a description before."""
    folder, made_with = weights / UPSCALING_MODEL.parent, _made_with()
    if not _is_made(folder, made_with):
        yield f"converting {UPSCALING}"
        _make(folder, made_with, lambda at: _convert(original, at))


def _made_with() -> str:
    return f"onnxruntime {version('onnxruntime')}, {platform.machine()}"


def _optimise(original: Path, folder: Path) -> None:
    """Write U²-Net optimised at level EXTENDED, which fits every processor of this architecture and this onnxruntime.

    The weights get a file of their own, so that they are mapped into memory instead of read and copied.
    """
    options = _optimising(folder / MODEL.name)
    external = "session.optimized_model_external_initializers_"
    options.add_session_config_entry(external + "file_name", MODEL.with_suffix(".bin").name)
    options.add_session_config_entry(external + "min_size_in_bytes", "1024")
    onnxruntime.InferenceSession(str(original), options, providers=["CPUExecutionProvider"])


def _optimising(target: Path) -> onnxruntime.SessionOptions:
    """Return the options of a session that writes its model to that file, optimised for the whole architecture."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    return options


def _convert(original: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        whole = Path(unfinished, UPSCALING_MODEL.name)
        convert(original, whole)
        options = _optimising(folder / UPSCALING_MODEL.name)
        onnxruntime.InferenceSession(str(whole), options, providers=["CPUExecutionProvider"])


def _quantise(original: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        whole = Path(unfinished, "u2net.onnx")
        quantise(original, whole)
        _optimise(whole, folder)


def _compile(folder: str) -> None:
    use_compiled_code(folder)
    import pymatting  # noqa: F401, PLC0415 - the import compiles its functions


def _is_made(folder: Path, made_with: str) -> bool:
    note = folder / NOTE
    return note.exists() and note.read_text(encoding="utf-8") == made_with


def _make(folder: Path, made_with: str, make: Callable[[Path], None]) -> None:
    """Make a folder, completely or not at all: it gets its name when it is finished."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}-"))
    try:
        make(unfinished)
        (unfinished / NOTE).write_text(made_with, encoding="utf-8")
        unfinished.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
