"""Makes the network of `upscaling` from waifu2x's published weights, which are in the format of ncnn.

The file has the weights of eight layers one after the other: for each layer a tag, the weights in 16 bits and the
biases in 32. The layers and the slope of their activation are those of `upconv_7` (github.com/nagadomi/waifu2x).
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.errors import Unavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

CHANNELS = (3, 16, 32, 64, 128, 128, 256)
"""Channels before the first layer and after each of the six that keep the size; the last layer doubles it."""
_SLOPE = 0.1
"""Slope of the activation (leaky ReLU) below zero."""
_HALVES = 0x01306B47
"""The tag of weights that are stored in 16 bits."""
_OPERATORS, _FORMAT = 17, 8
"""Versions of the operator set and of the file, which every onnxruntime since 1.12 reads."""


def convert(original: Path, target: Path) -> None:
    """Write the network as ONNX: levels from 0 to 255 in, and out, without a margin of seven pixels.

    Raises Unavailable without onnx, and ValueError for a file of another form.
    """
    try:
        import onnx  # noqa: PLC0415 - set-up alone
    except ImportError:
        raise Unavailable("onnx is missing, which writes models: pip install onnx") from None
    layers = read_layers(original.read_bytes())
    nodes: list[Any] = []
    values: list[Any] = []
    name = "levels"
    for index, (weights, biases) in enumerate(layers):
        is_last = index == len(CHANNELS) - 1
        values += [
            onnx.numpy_helper.from_array(weights, f"weights{index}"),
            onnx.numpy_helper.from_array(biases, f"biases{index}"),
        ]
        inputs = [name, f"weights{index}", f"biases{index}"]
        if is_last:
            nodes.append(onnx.helper.make_node("ConvTranspose", inputs, ["enlarged"], strides=[2, 2], pads=[3] * 4))
            continue
        nodes.append(onnx.helper.make_node("Conv", inputs, [f"sums{index}"]))
        name = f"features{index}"
        nodes.append(onnx.helper.make_node("LeakyRelu", [f"sums{index}"], [name], alpha=_SLOPE))
    ends = [
        onnx.helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, [1, 3, f"{end}_rows", f"{end}_columns"])
        for end in ("levels", "enlarged")
    ]
    graph = onnx.helper.make_graph(nodes, "upconv_7", ends[:1], ends[1:], values)
    opset = [onnx.helper.make_opsetid("", _OPERATORS)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=_FORMAT), target)


def read_layers(stored: bytes) -> list[tuple[Floats, Floats]]:
    """Return weights and biases of each layer, for levels from 0 to 255 instead of fractions.

    The network was trained on levels divided by 255 and returns levels divided by 256: a plain area comes back as
    255/256 of what went in. Raises ValueError for a file of another form.
    """
    shapes = [(after, before, 3, 3) for before, after in pairwise(CHANNELS)]
    shapes.append((CHANNELS[0], CHANNELS[-1], 4, 4))
    layers, offset = [], 0
    for shape in shapes:
        count = int(np.prod(shape))
        tag = int.from_bytes(stored[offset : offset + 4], "little")
        if tag != _HALVES:
            raise ValueError(f"the tag of weights in 16 bits must be {_HALVES:#x}, got {tag:#x}")
        weights = np.frombuffer(stored, np.float16, count, offset + 4).astype(np.float32).reshape(shape)
        offset += 4 + 2 * count + 2 * (count % 2)
        biases = np.frombuffer(stored, np.float32, shape[0], offset)
        offset += biases.nbytes
        layers.append((weights, biases))
    if offset != len(stored):
        raise ValueError(f"the weights must have {offset} bytes, got {len(stored)}")
    first, last = layers[0], layers[-1]
    layers[0] = (first[0] / np.float32(255), first[1])
    # ONNX has the inputs of a transposed convolution first.
    layers[-1] = (last[0].transpose(1, 0, 2, 3) * np.float32(256), last[1] * np.float32(256))
    return layers
