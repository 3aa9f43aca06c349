"""How pixels become a network's input, as the user, the network or the files beside it say."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleaning.errors import InvalidInput, Place
from evaluation.files.json import parse_json
from evaluation.files.whole import read_text

_LARGEST_SIDE = 4096
_LARGEST = 100_000
_SIZES = ("size", "image_size", "input_size", "img_size", "imgsz")
_MEANS = ("mean", "image_mean")
_NORMALISATION = {"scale", "mean", "deviation"}
"""These belong together, so they are never taken from two places."""
_DEVIATIONS = ("std", "image_std", "deviation")


@dataclass(frozen=True)
class Settings:
    """What the user says about a network: the side of its input, mean and deviation per channel, its output."""

    size: int | None = None
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    output: str | None = None


class Preparation(BaseModel):
    """How pixels become the network's input: (value / 255 · scale - mean) / deviation for each channel, in `order`.

    The defaults are those of networks trained on ImageNet with torch. size is the side of the square input in pixels,
    used if the network leaves it open. output is the name of the output to use.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    size: int = Field(default=224, ge=1, le=_LARGEST_SIDE)
    order: Literal["RGB", "BGR"] = "RGB"
    scale: float = 1.0
    mean: list[float] = Field(default=[0.485, 0.456, 0.406], min_length=3, max_length=3)
    deviation: list[float] = Field(default=[0.229, 0.224, 0.225], min_length=3, max_length=3)
    output: str | None = None


def preparation(model: Path, metadata: Mapping[str, str], settings: Settings) -> Preparation:
    """The preparation for a network. Of these, a later one wins: `preprocessor_config.json` in its folder, as Hugging
    Face writes it; the metadata inside the network; `MODEL.onnx.json` beside it; the user's settings.

    Raises InvalidInput for a value of the user or of `MODEL.onnx.json` that cannot be used. The other two are hints
    that were written for other programs: of these, what is not understood is left out.
    """
    said = {**_hints(_hugging_face(model.parent)), **_hints({key.lower(): _read(one) for key, one in metadata.items()})}
    beside = model.with_name(f"{model.name}.json")
    if beside.exists():
        described = _checked(parse_json(read_text(beside, _LARGEST), Place(beside)), beside)
        if described.keys() & _NORMALISATION:
            said = {name: value for name, value in said.items() if name not in _NORMALISATION}
        said |= described
    return Preparation.model_validate({**said, **_chosen(settings)})


def _checked(content: object, path: Path) -> dict[str, Any]:
    """The values of MODEL.onnx.json."""
    try:
        return Preparation.model_validate(content).model_dump(exclude_unset=True)
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        place = ".".join(map(str, error["loc"]))
        known = ", ".join(Preparation.model_fields)
        raise InvalidInput(Place(path, key=place), error["msg"], f"use only these keys: {known}") from None


def _chosen(settings: Settings) -> dict[str, Any]:
    """The values that the user gave."""
    found: dict[str, Any] = {}
    if settings.size is not None:
        if not 1 <= settings.size <= _LARGEST_SIDE:
            raise InvalidInput("--encoder-size", f"it is {settings.size}", f"use a number from 1 to {_LARGEST_SIDE}")
        found["size"] = settings.size
    for name, option in (("mean", "--encoder-mean"), ("deviation", "--encoder-std")):
        if (given := getattr(settings, name)) is not None:
            usable = len(given) in (1, 3) and all(map(math.isfinite, given))
            if not usable or (name == "deviation" and min(given) <= 0):
                shown = ",".join(map(str, given))
                raise InvalidInput(option, f"it is {shown}", "give one number, or three for red, green and blue")
            found |= {name: _three(given), "scale": 1.0}
    if settings.output is not None:
        found["output"] = settings.output
    return _from_0_to_1(found)


def _hugging_face(folder: Path) -> Mapping[str, Any]:
    path = folder / "preprocessor_config.json"
    try:
        content = parse_json(read_text(path, _LARGEST), Place(path)) if path.is_file() else {}
    except InvalidInput:
        return {}
    if not isinstance(content, dict):
        return {}
    if content.get("do_normalize") is False:
        content |= {"image_mean": 0.0, "image_std": 1.0}
    return {**content, "size": content.get("crop_size") or content.get("size")}


def _read(text: str) -> object:
    """A value in a network's metadata: JSON, or numbers between commas or spaces."""
    try:
        return json.loads(text) if len(text) < _LARGEST else None
    except (ValueError, RecursionError):
        parts = re.split(r"[\s,;x×]+", text.strip(" ()[]"))
        return [float(part) for part in parts] if all(re.fullmatch(r"-?\d+(\.\d+)?", part) for part in parts) else None


def _hints(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is understood of a network's metadata."""
    found: dict[str, Any] = {}
    size = _side(_first(values, _SIZES))
    if size is not None:
        found["size"] = size
    mean, deviation = _numbers(_first(values, _MEANS)), _numbers(_first(values, _DEVIATIONS))
    if mean and deviation and min(deviation) > 0:
        found |= {"mean": mean, "deviation": deviation}
    return _from_0_to_1(found)


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)


def _side(value: object) -> int | None:
    """The side of a square, from one number, two equal ones, or {"height": …} or {"shortest_edge": …}."""
    if isinstance(value, dict):
        value = value.get("height", value.get("shortest_edge"))
    sides = value[-2:] if isinstance(value, list) else [value]
    whole = [int(one) for one in sides if isinstance(one, int | float) and 1 <= one <= _LARGEST_SIDE]
    return whole[0] if whole and len(whole) == len(sides) and len(set(whole)) == 1 else None


def _numbers(value: object) -> list[float] | None:
    """Three numbers, from one or three."""
    given = value if isinstance(value, list) else [value]
    fit = [float(one) for one in given if isinstance(one, int | float) and abs(one) < 1e6]
    return _three(fit) if len(fit) == len(given) and len(fit) in (1, 3) else None


def _three(given: "list[float] | tuple[float, ...]") -> list[float]:
    return [*given] * (3 // len(given))


def _from_0_to_1(found: dict[str, Any]) -> dict[str, Any]:
    """The values with a mean and deviation for pixels from 0 to 1; numbers above 2 are for pixels from 0 to 255."""
    parts = [name for name in ("mean", "deviation") if name in found]
    large = any(abs(one) > 2 for name in parts for one in found[name])
    return {**found, **{name: [one / 255 if large else one for one in found[name]] for name in parts}}
