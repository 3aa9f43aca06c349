"""Any image network from an ONNX file, run by onnxruntime (extra `onnx`)."""

import os
import re
from collections.abc import Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaning.data import Single
from cleaning.errors import InvalidInput
from evaluation.embedding.network import Network, metadata, open_session
from evaluation.embedding.preparation import Settings, preparation
from evaluation.files.whole import sha256_bytes, sha256_file

_LOCATION = re.compile(rb"\x0a\x08location\x12")


class Encoder:
    """The network's output as one vector per image; feature maps (n, d, h, w) are averaged over their positions, and
    tokens (n, t, d) over the tokens.

    Raises InvalidInput for a file that is not a usable network, Unsuitable if onnxruntime is missing.
    """

    def __init__(self, model: Path | None = None, settings: Settings | None = None) -> None:
        if model is None:
            raise InvalidInput("encoder onnx", "no model is given", "pass --encoder=PATH/MODEL.onnx")
        session, settings = open_session(model, model, "onnx"), settings or Settings()
        prepared = preparation(model, metadata(session), settings)
        self._network = Network(model, session, prepared)
        expected = self._network.input
        if settings.size not in (None, expected.height) and not expected.open:
            raise InvalidInput(
                "--encoder-size",
                f"it is {settings.size}, but the network takes {expected.height} × {expected.width} pixels",
                "leave it out",
            )
        weights = [sha256_file(path) for path in (model, *_outside_weights(model))]
        self.identity = f"onnx/2 {' '.join(weights)} {sha256_bytes(prepared.model_dump_json().encode())[:16]}"

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> Single:
        """(n, d) float32."""
        return self._network.encode(pictures)


def _outside_weights(model: Path) -> list[Path]:
    """The files beside the model that hold its weights, if the model names any.

    A tensor names its file in a key-value pair of the protobuf; the search finds the pair wherever it is nested.
    https://onnx.ai/onnx/repo-docs/ExternalData.html
    """
    names = set()
    with model.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        for found in _LOCATION.finditer(content):
            length, end = 0, found.end()
            for place, byte in enumerate(content[end : end + 5]):
                length |= (byte & 0x7F) << 7 * place
                if byte < 0x80:
                    names.add(content[end + place + 1 : end + place + 1 + min(length, 4096)])
                    break
    beside = [model.parent / os.fsdecode(name) for name in sorted(names) if b"\0" not in name]
    return [path for path in beside if path.is_file()]
