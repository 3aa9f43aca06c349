"""EfficientNet-Lite0 as an ONNX network that turns a picture into 1,280 numbers.

Sources: Tan and Le 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, table 1, without
the parts that the Lite variants leave out (squeeze and excitation; ReLU6 takes the place of swish).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.embedding.onnx_file import end, model, node, tensor

SIDE = 224
MEAN, SPREAD = 127 / 255, 128 / 255
"""What the network's input is shifted and divided by, for pixels from 0 to 1."""
_WIDTH = 1280
_NORMALISED = 1e-3
"""What the network adds to the variances of its batch normalisations."""
_STAGES = (
    # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM = 32

_METADATA = {"size": str(SIDE), "mean": str(MEAN), "std": str(SPREAD)}

Weights = Mapping[str, NDArray[Any]]


def network(weights: Weights) -> bytes:
    """The ONNX file: n × 3 × 224 × 224 in, n × 1280 out, the means over all positions before the last layer."""
    built = _Built(weights)
    built.convolution("_conv_stem", "_bn0", stride=2)
    channels, number = _STEM, 0
    for repeats, _kernel, stride, expansion, width in _STAGES:
        for repeat in range(repeats):
            place, before, step = f"_blocks.{number}.", built.last, stride if repeat == 0 else 1
            if expansion > 1:
                built.convolution(f"{place}_expand_conv", f"{place}_bn0")
            built.convolution(f"{place}_depthwise_conv", f"{place}_bn1", stride=step, groups=channels * expansion)
            built.convolution(f"{place}_project_conv", f"{place}_bn2", bounded=False)
            if step == 1 and channels == width:
                built.operation("Add", [built.last, before], f"{place}sum")
            channels, number = width, number + 1
    built.convolution("_conv_head", "_bn1")
    built.operation("GlobalAveragePool", [built.last], "means")
    built.operation("Flatten", [built.last], "features")
    ends = end("pictures", ("n", 3, SIDE, SIDE)), end("features", ("n", _WIDTH))
    return model(built.nodes, built.weights, ends, _METADATA)


@dataclass
class _Built:
    """The network as far as it is built. last: the name of the latest output."""

    known: Weights
    nodes: list[bytes] = field(default_factory=list)
    weights: list[bytes] = field(default_factory=list)
    last: str = "pictures"

    def __post_init__(self) -> None:
        self.weights += [tensor("zero", np.zeros((), np.float32)), tensor("six", np.full((), 6, np.float32))]

    def operation(self, kind: str, inputs: list[str], output: str, **attributes: int | list[int]) -> None:
        self.nodes.append(node(kind, inputs, output, **attributes))
        self.last = output

    def convolution(self, name: str, normalised: str, stride: int = 1, groups: int = 1, bounded: bool = True) -> None:
        """A convolution with its batch normalisation folded in, and ReLU6 if it is `bounded`.

        The sides of its input are multiples of the stride, so `kernel - stride` rows of padding are needed, of which
        the odd one is at the end, as TensorFlow pads.
        """
        gain, shift, mean, variance = (
            self.known[f"{normalised}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + _NORMALISED)
        kernel = self.known[f"{name}.weight"]
        folded = kernel.astype(np.float64) * scale[:, None, None, None]
        self.weights += [
            tensor(f"{name}.weight", folded.astype(np.float32)),
            tensor(f"{name}.bias", (shift - mean * scale).astype(np.float32)),
        ]
        padding = kernel.shape[2] - stride
        pads = [padding // 2] * 2 + [padding - padding // 2] * 2
        inputs = [self.last, f"{name}.weight", f"{name}.bias"]
        self.operation("Conv", inputs, name, group=groups, strides=[stride] * 2, pads=pads)
        if bounded:
            self.operation("Clip", [name, "zero", "six"], f"{name}.bounded")
