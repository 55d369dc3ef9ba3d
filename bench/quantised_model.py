"""U²-Net in fewer bits: is any version one and a half times as fast, and less than a level from the mask of all bits?

Static int8 quantisation (activations unsigned, weights by channel), calibrated on the samples, whole and with the
convolutions at both ends and the seven that make masks left in 32 bits; and 16-bit floats.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from tests.weights import PHOTOS

ROUNDS = 7
Input = Any
"""A float32 array of 1 × 3 × 320 × 320."""


def table(original: Path, plain: Any) -> Iterator[str]:
    """Rows of a table; `plain` is the model as it is used."""
    fed = {path.stem: _input(path) for path in sorted(PHOTOS.iterdir())}
    whole = {name: _mask(plain, each) for name, each in fed.items()}
    yield "\n## Smaller versions of the model\n"
    yield "| version | times as fast | mean difference, of 255 | on the worst sample |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in _versions(original, Path(folder), list(fed.values())).items():
            model = _opened(make())
            apart = {each: float(np.abs(_mask(model, fed[each]) - whole[each]).mean()) for each in fed}
            worst = max(apart, key=lambda each: apart[each])
            mean = statistics.mean(apart.values())
            speed = _speed(plain, model, fed["cat"])
            yield f"| {name} | {speed:.2f} | {mean:.2f} | {worst} {apart[worst]:.2f} |"


def _versions(original: Path, folder: Path, fed: list[Input]) -> dict[str, Callable[[], Path]]:
    import onnx
    from onnx import version_converter
    from onnxconverter_common import float16
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = folder / "prepared.onnx"
    # Quantisation by channel wants a newer operator set than the file has.
    onnx.save(version_converter.convert_version(onnx.load(original), 17), folder / "newer.onnx")
    quant_pre_process(str(folder / "newer.onnx"), str(prepared))
    model = onnx.load(prepared)
    channels = {each.name: each.dims[0] for each in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    names = [node.name for node in convolutions]
    of_masks = {node.name for node in convolutions if channels[node.input[1]] == 1}

    def half() -> Path:
        onnx.save(float16.convert_float_to_float16(onnx.load(original), keep_io_types=True), folder / "half.onnx")
        return folder / "half.onnx"

    return {
        "fp16": half,
        "int8": lambda: _int8(prepared, folder / "int8.onnx", fed, set()),
        "int8, masks in fp32": lambda: _int8(prepared, folder / "masks.onnx", fed, of_masks),
        "int8, masks and last 22 of 119 in fp32": lambda: _int8(
            prepared, folder / "last.onnx", fed, of_masks | set(names[-22:])
        ),
        "int8, masks, first 8 and last 22 in fp32": lambda: _int8(
            prepared, folder / "ends.onnx", fed, of_masks | set(names[:8]) | set(names[-22:])
        ),
    }


def _int8(prepared: Path, target: Path, fed: list[Input], kept: set[str]) -> Path:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Samples(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self._left = iter(fed)

        def get_next(self) -> dict[str, Input] | None:
            found = next(self._left, None)
            return None if found is None else {"input.1": found}

    quantize_static(
        str(prepared), str(target), Samples(), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"],
        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=sorted(kept),
    )  # fmt: skip
    return target


def _opened(path: Path) -> Any:
    from features._inference import open_model

    return open_model(path)


def _input(path: Path) -> Input:
    from features._saliency import _DEVIATION, _MEAN, reduced

    pixels = reduced(pyvips.Image.new_from_file(str(path)).autorot())
    return ((pixels / max(float(pixels.max()), 1e-6) - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)


def _mask(model: Any, fed: Input) -> Any:
    sure = model.run(None, {"input.1": fed})[0][0, 0]
    return (sure - sure.min()) / (sure.max() - sure.min()) * 255


def _speed(plain: Any, other: Any, fed: Input) -> float:
    """Median of the paired ratios."""
    ratios = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        plain.run(None, {"input.1": fed})
        between = time.perf_counter()
        other.run(None, {"input.1": fed})
        ratios.append((between - started) / (time.perf_counter() - between))
    return statistics.median(ratios)
