"""Any image network from an ONNX file, run by onnxruntime (extra `onnx`)."""

import os
import re
from collections.abc import Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleaning.errors import InvalidInput, Place, Unsuitable, foreign_reason
from evaluation.files.json import parse_json
from evaluation.files.whole import read_text, sha256_bytes, sha256_file

Single = NDArray[np.float32]

_PIXELS = 8_000_000
"""The most pixels that the network is given at once."""

_LOCATION = re.compile(rb"\x0a\x08location\x12")


class Preparation(BaseModel):
    """How pixels become the network's input: (value / 255 · scale - mean) / deviation for each channel, in `order`.

    It is read from `MODEL.onnx.json` beside the model. The defaults are those of networks trained on ImageNet with
    torch. size is the side of the square input in pixels, used if the network leaves it open. output is the name of the
    output to use; the default is the first one.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    size: int = Field(default=224, ge=1, le=4096)
    order: Literal["RGB", "BGR"] = "RGB"
    scale: float = 1.0
    mean: list[float] = Field(default=[0.485, 0.456, 0.406], min_length=3, max_length=3)
    deviation: list[float] = Field(default=[0.229, 0.224, 0.225], min_length=3, max_length=3)
    output: str | None = None


class Encoder:
    """The network's output as one vector per image; feature maps (n, d, h, w) are averaged over their positions.

    Raises InvalidInput for a file that is not a usable network, Unsuitable if onnxruntime is missing.
    """

    def __init__(self, model: Path | None = None) -> None:
        if model is None:
            raise InvalidInput("encoder onnx", "no model is given", "pass --encoder=PATH/MODEL.onnx")
        self._model, self._session = model, _session(model)
        self._preparation, settings = _preparation(model)
        weights = [sha256_file(path) for path in (model, *_outside_weights(model))]
        self.identity = f"onnx/1 {' '.join(weights)} {sha256_bytes(settings.encode())[:16]}"
        self._input, self._channels_last, self._size = _expected_input(model, self._session, self._preparation.size)
        outputs = [output.name for output in self._session.get_outputs()]
        self._output = self._preparation.output or outputs[0]
        if self._output not in outputs:
            raise InvalidInput(
                f"{model}.json, output", f"the network has no output {self._output!r}", f"known: {', '.join(outputs)}"
            )

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> Single:
        """(n, d) float32."""
        step = max(1, _PIXELS // self._size**2)
        parts = [self._encoded(pictures[start : start + step]) for start in range(0, len(pictures), step)]
        return np.concatenate(parts)

    def _encoded(self, pictures: Sequence[NDArray[np.uint8]]) -> Single:
        batch = np.stack([self._prepared(pixels) for pixels in pictures])
        if not self._channels_last:
            batch = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
        try:
            (answer,) = self._session.run([self._output], {self._input: batch})
        except Exception as error:
            raise InvalidInput(
                self._model, f"the network cannot be run ({foreign_reason(error)})", "export it again"
            ) from error
        vectors = np.asarray(answer, dtype=np.float32)
        pooled = vectors.mean(axis=(2, 3)) if vectors.ndim == 4 else vectors.reshape(len(pictures), -1)
        return np.asarray(pooled, dtype=np.float32)

    def _prepared(self, pixels: NDArray[np.uint8]) -> Single:
        from PIL import Image

        image = Image.fromarray(pixels).resize((self._size, self._size), Image.Resampling.BILINEAR)
        values = np.asarray(image, dtype=np.float32)[:, :, :: 1 if self._preparation.order == "RGB" else -1]
        mean, deviation = (
            np.asarray(part, dtype=np.float32) for part in (self._preparation.mean, self._preparation.deviation)
        )
        return np.asarray((values * np.float32(self._preparation.scale / 255) - mean) / deviation, dtype=np.float32)


def _session(model: Path) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise Unsuitable("ONNX models need the extra `onnx`; install it with `pip install '.[onnx]'`") from None
    if not model.is_file():
        raise InvalidInput(model, "there is no such file", "check the path of the model")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = foreign_reason(str(error).split("\n")[0])
        raise InvalidInput(model, f"onnxruntime cannot load it ({reason})", "export the network again") from error


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


def _preparation(model: Path) -> tuple[Preparation, str]:
    path = model.with_name(f"{model.name}.json")
    text = read_text(path, limit=100_000) if path.exists() else "{}"
    try:
        return Preparation.model_validate(parse_json(text, Place(path))), text
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        place = ".".join(map(str, error["loc"]))
        known = ", ".join(Preparation.model_fields)
        raise InvalidInput(Place(path, key=place), error["msg"], f"use only these keys: {known}") from None


def _expected_input(model: Path, session: Any, open_size: int) -> tuple[str, bool, int]:
    """The name of the input, whether channels come last, and the side of the input in pixels."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    if len(inputs) != 1 or len(shape) != 4 or inputs[0].type != "tensor(float)" or 3 not in (shape[1], shape[3]):
        found = "; ".join(f"{entry.name} {entry.type} {entry.shape}" for entry in inputs)
        raise InvalidInput(model, f"its inputs are {found}", "export it with one float input n×3×h×w or n×h×w×3")
    last = shape[3] == 3 and shape[1] != 3
    sides = [side for side in (shape[1:3] if last else shape[2:4]) if isinstance(side, int)]
    return inputs[0].name, last, sides[0] if sides else open_size
