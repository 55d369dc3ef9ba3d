"""Quantises U²-Net to eight bits, which is one and a half times as fast on processors with instructions for that.

Its masks differ by less than one level of 255. The quantisation is static, with unsigned activations and weights
quantised by channel. The first and last convolutions, two in between and those that produce masks stay in 32 bits;
bench/REMOVE_BACKGROUND.md has the measurements behind that choice.

The ranges of activations were measured once, on the photographs in samples/, and are part of the source code;
`python -m bench.remove_background ranges` measures them again. So making the model needs no photographs and takes ten
seconds, and its weights are the same wherever it is made.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyvips

from imaging.errors import Unavailable
from imaging.models.saliency import to_model_input, to_rgb_array

FIRST, LAST = 4, 22
"""How many of the 119 convolutions stay as they are, at the beginning and at the end."""
SECOND_STAGE = slice(24, 26)
"""The last two of the second stage stay as they are too: otherwise the mask of the cat differs twice as much."""
RANGES = Path(__file__).with_name("int8_ranges.json")
"""The range of each activation, as onnxruntime stores it."""
CHECKSUM = "736d94db2b03280e9ef0b7feef39259bd0bf443e2599531cd645f6adf79cb24c"
"""SHA-256 of the quantised weights, their scales and offsets."""
_OPERATORS = 17
"""Version of the operator set; quantisation by channel needs a newer one than that of the published file."""


def quantise(original: Path, target: Path) -> None:
    """Write the model in eight bits to `target`. Raises Unavailable without onnx, or where the checksum differs."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        ready = prepare_model(original, Path(folder))
        convolutions, of_masks = list_convolutions(ready)
        kept = of_masks | {*convolutions[:FIRST], *convolutions[SECOND_STAGE], *convolutions[-LAST:]}
        quantise_convolutions(ready, target, kept, RANGES)
    found = _checksum(target)
    if found != CHECKSUM:
        raise Unavailable(
            f"u2net-int8 must have the checksum {CHECKSUM}, got {found}: "
            "install onnx and onnxruntime in the versions of requirements/"
        )


def _checksum(model: Path) -> str:
    """Return a digest of all weights with their names; the rest of the file depends on the version of onnx."""
    import onnx  # noqa: PLC0415 - set-up alone

    digest = hashlib.sha256()
    for weight in sorted(onnx.load(model).graph.initializer, key=lambda each: each.name):
        values = onnx.numpy_helper.to_array(weight)
        digest.update(f"{weight.name} {values.dtype} {values.shape}\n".encode() + values.tobytes())
    return digest.hexdigest()


def load_model_input(path: Path) -> Any:
    """Return the model's input for an image file: float32, 1 × 3 × 320 × 320."""
    return to_model_input(to_rgb_array(pyvips.Image.new_from_file(str(path)).autorot()))


def prepare_model(original: Path, folder: Path) -> Path:
    """Write the model to that folder in the form that quantisation needs, and return its path."""
    try:
        import onnx  # noqa: PLC0415 - set-up alone
        from onnx import version_converter  # noqa: PLC0415 - of the set-up alone
    except ImportError:
        raise Unavailable("onnx is missing, which quantises models: pip install onnx") from None
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415 - of the set-up alone

    newer, ready = folder / "newer.onnx", folder / "prepared.onnx"
    onnx.save(version_converter.convert_version(onnx.load(original), _OPERATORS), newer)
    quant_pre_process(str(newer), str(ready), skip_symbolic_shape=True)
    return ready


def list_convolutions(ready: Path) -> tuple[list[str], set[str]]:
    """Return the names of the convolutions in order, and of those that produce masks, which have one channel."""
    import onnx  # noqa: PLC0415 - set-up alone

    graph = onnx.load(ready).graph
    channels = {each.name: each.dims[0] for each in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    return [node.name for node in convolutions], {node.name for node in convolutions if channels[node.input[1]] == 1}


def quantise_convolutions(
    ready: Path, target: Path, kept: Collection[str], ranges: Path, inputs: Sequence[Any] = ()
) -> None:
    """Quantise every convolution except those in `kept`.

    The ranges of activations are read from the file `ranges`. If it does not exist, they are measured on the model's
    inputs and written to it.
    """
    from onnxruntime.quantization import (  # noqa: PLC0415 - set-up alone
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Pictures(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self._left = iter(inputs)

        def get_next(self) -> dict[str, Any] | None:
            found = next(self._left, None)
            return None if found is None else {"input.1": found}

    quantize_static(
        str(ready), str(target), Pictures(), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"],
        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=sorted(kept),
        calibration_cache_path=ranges,
    )  # fmt: skip
