"""U²-Net in fewer bits: is any version one and a half times as fast, and less than a level from the mask of all bits?

Static int8 quantisation (activations unsigned, weights by channel), calibrated on the samples, whole and with the
convolutions at both ends and the seven that make masks left in 32 bits; and 16-bit floats.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tests.weights import PHOTOS

from imaging.models import int8 as int8_module

ROUNDS = 7
Input = Any
"""A float32 array of 1 × 3 × 320 × 320."""


def table(original: Path, plain: Any) -> Iterator[str]:
    """Rows of a table; `plain` is the model as it is used."""
    fed = {path.stem: int8_module.load_model_input(path) for path in sorted(PHOTOS.iterdir())}
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


def measure_ranges(original: Path) -> None:
    """Measure the ranges of activations on the samples, and write them into the source code."""
    fed = [int8_module.load_model_input(path) for path in sorted(PHOTOS.iterdir())]
    with tempfile.TemporaryDirectory() as folder:
        ready, measured = int8_module.prepare_model(original, Path(folder)), Path(folder, "ranges.json")
        int8_module.quantise_convolutions(ready, Path(folder, "int8.onnx"), set(), measured, fed)
        found = json.loads(measured.read_text(encoding="utf-8"))
    # A line for each activation, in an order that does not change.
    rows = (f"{json.dumps(name)}: {json.dumps(of)}" for name, of in sorted(found.pop("data").items()))
    text = json.dumps(found)[:-1] + ', "data": {\n' + ",\n".join(rows) + "\n}}\n"
    int8_module.RANGES.write_text(text, encoding="utf-8")


def _versions(original: Path, folder: Path, fed: list[Input]) -> dict[str, Callable[[], Path]]:
    import onnx
    from onnxconverter_common import float16

    ready = int8_module.prepare_model(original, folder)
    names, of_masks = int8_module.list_convolutions(ready)

    def half() -> Path:
        onnx.save(float16.convert_float_to_float16(onnx.load(original), keep_io_types=True), folder / "half.onnx")
        return folder / "half.onnx"

    def int8(kept: set[str]) -> Path:
        int8_module.quantise_convolutions(ready, folder / "int8.onnx", kept, folder / "ranges.json", fed)
        return folder / "int8.onnx"

    def ends(first: int, last: int) -> set[str]:
        return {*names[:first], *names[len(names) - last :]}

    def but_for_ends(first: int, last: int) -> Callable[[], Path]:
        return lambda: int8(of_masks | ends(first, last))

    shipped = (int8_module.FIRST, int8_module.LAST)
    tried = [shipped, (0, 22), (1, 22), (8, 22), (8, 16), (4, 14), (2, 16)]
    return {
        "fp16": half,
        "int8": lambda: int8(set()),
        "int8, masks in fp32": lambda: int8(of_masks),
        f"**int8, masks, first {shipped[0]}, last {shipped[1]} and two of the second stage in fp32**": (
            lambda: int8(of_masks | ends(*shipped) | {*names[int8_module.SECOND_STAGE]})
        ),
        **{f"int8, masks, first {a} and last {b} in fp32": but_for_ends(a, b) for a, b in tried},
    }


def _opened(path: Path) -> Any:
    from imaging.models.inference import open_model

    return open_model(path)


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
