"""A network of pictures, run by onnxruntime with one thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.data import Single
from cleaning.errors import InvalidInput, Unsuitable, foreign_reason
from evaluation.embedding.preparation import Preparation

Float = type[np.float32] | type[np.float16]

_TYPES: dict[str, Float] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_EMBEDDINGS = (
    "image_embeds",
    "image_embedding",
    "image_features",
    "pooler_output",
    "embedding",
    "embeddings",
    "features",
)
"""What exporters call the output that describes a picture as a whole, the best first."""


@dataclass(frozen=True)
class Input:
    """What a network expects: its input's name and type, whether channels come last, the sides in pixels.

    batch: how many pictures it takes at once; None: any number. open: whether the network leaves the sides open.
    """

    name: str
    type: Float
    channels_last: bool
    height: int
    width: int
    batch: int | None
    open: bool


class Network:
    """The network's output as one vector per picture; maps (n, d, h, w) and tokens (n, t, d) are averaged.

    A network that takes any number of pictures is given one at a time: so a vector does not depend on the others, and
    on one thread it is as fast.
    """

    def __init__(self, place: Path | str, session: Any, preparation: Preparation) -> None:
        self._place, self._session, self._preparation = place, session, preparation
        self.input = expected_input(place, session, preparation.size)
        self._output = _output(place, session, preparation.output)

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> Single:
        """(n, d) float32."""
        step = self.input.batch or 1
        return np.concatenate([self._encoded(pictures[at : at + step], step) for at in range(0, len(pictures), step)])

    def _encoded(self, pictures: Sequence[NDArray[np.uint8]], step: int) -> Single:
        filled = [*pictures, *[pictures[-1]] * (step - len(pictures))]
        batch = np.stack([self._prepared(pixels) for pixels in filled])
        if not self.input.channels_last:
            batch = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
        try:
            (answer,) = self._session.run([self._output], {self.input.name: batch.astype(self.input.type)})
        except Exception as error:
            raise InvalidInput(
                self._place, f"the network cannot be run ({foreign_reason(error)})", "export it again"
            ) from error
        return self._vectors(np.asarray(answer, dtype=np.float32), step)[: len(pictures)]

    def _vectors(self, answer: Single, rows: int) -> Single:
        if answer.ndim < 2 or len(answer) != rows:
            shape = "×".join(map(str, answer.shape)) or "one number"
            raise InvalidInput(
                self._place, f"its output {self._output} for {rows} pictures is {shape}", "choose another output"
            )
        if answer.ndim == 4:
            return np.asarray(answer.mean(axis=(1, 2) if self.input.channels_last else (2, 3)), dtype=np.float32)
        if answer.ndim == 3:
            return np.asarray(answer.mean(axis=1), dtype=np.float32)
        return answer.reshape(rows, -1)

    def _prepared(self, pixels: NDArray[np.uint8]) -> Single:
        from PIL import Image

        size = self.input.width, self.input.height
        image = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR)
        values = np.asarray(image, dtype=np.float32)[:, :, :: 1 if self._preparation.order == "RGB" else -1]
        mean, deviation = (
            np.asarray(part, dtype=np.float32) for part in (self._preparation.mean, self._preparation.deviation)
        )
        return np.asarray((values * np.float32(self._preparation.scale / 255) - mean) / deviation, dtype=np.float32)


def open_session(place: Path | str, model: Path | bytes, extra: str) -> Any:
    """A model, from a file or its content, loaded by onnxruntime.

    Raises InvalidInput for a file that is not a usable network, Unsuitable if onnxruntime is missing, with the extra
    that brings it.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise Unsuitable(f"ONNX models need the extra `{extra}`; install it with `pip install '.[{extra}]'`") from None
    if isinstance(model, Path) and not model.is_file():
        raise InvalidInput(model, "there is no such file", "check the path of the model")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = foreign_reason(str(error).split("\n")[0])
        raise InvalidInput(place, f"onnxruntime cannot load it ({reason})", "export the network again") from error


def metadata(session: Any) -> Mapping[str, str]:
    """What the network says about itself."""
    return {str(key): str(value) for key, value in session.get_modelmeta().custom_metadata_map.items()}


def expected_input(place: Path | str, session: Any, open_size: int) -> Input:
    """What the network expects. Raises InvalidInput for one that takes anything but pictures."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    if len(inputs) != 1 or len(shape) != 4 or inputs[0].type not in _TYPES or 3 not in (shape[1], shape[3]):
        found = "; ".join(f"{entry.name} {entry.type} {entry.shape}" for entry in inputs)
        raise InvalidInput(place, f"its inputs are {found}", "export it with one float input n×3×h×w or n×h×w×3")
    last = shape[3] == 3 and shape[1] != 3
    sides = [side if isinstance(side, int) and side > 0 else 0 for side in (shape[1:3] if last else shape[2:4])]
    height, width = (side or max(sides) or open_size for side in sides)
    batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
    return Input(inputs[0].name, _TYPES[inputs[0].type], last, height, width, batch, not any(sides))


def _output(place: Path | str, session: Any, wanted: str | None) -> str:
    """The output to use. Raises InvalidInput that lists them if there are several and none is meant for this."""
    outputs = [output for output in session.get_outputs() if output.type in (*_TYPES, "tensor(double)")]
    names = [output.name for output in outputs]
    if wanted is not None and wanted not in names:
        raise InvalidInput(place, f"the network has no output {wanted!r}", f"known: {', '.join(names)}")
    usual = [name for known in _EMBEDDINGS for name in names if name.lower() == known]
    found = [wanted] if wanted is not None else usual[:1] or names
    if len(found) == 1:
        return str(found[0])
    listed = ", ".join(f"{output.name} {'×'.join(map(str, output.shape))}" for output in outputs)
    raise InvalidInput(
        place, f"it has {len(names)} outputs ({listed or 'none of numbers'})", "pass --encoder-output=NAME"
    )
