"""The schema of workspace/parameters.yaml, the only place for user settings: data, tasks, rankers and learner."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cleaning.errors import InvalidInput, Place
from cleaning.parallel.engine import Engine
from evaluation.files.yaml import LocatedYaml
from evaluation.settings.limits import LimitSpec
from evaluation.settings.rules import Rules, SplitSpec, Strict

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
_SHA256 = r"^[0-9a-f]{64}$"


class Noise(Strict):
    """Wrong labels to plant in clean data. `draws` lists the numbers of the random draws, one data id per draw."""

    kind: Literal["symmetric", "one_directional"]
    rate: float = Field(default=0.3, gt=0, lt=1)
    draws: tuple[int, ...] = Field(default=(0,), min_length=1)

    @field_validator("draws", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return _as_tuple(value)


class Source(Strict):
    """Where files come from: `sklearn:digits`, `cifar:LABELS`, `https://…`, `file:PATH` or `drive:ID`.

    sha256: that of an archive.
    """

    source: str = Field(min_length=1)
    sha256: str | None = Field(default=None, pattern=_SHA256)


class Card(Strict):
    """What a data set is: a sentence, the address of its home, its licence (its SPDX name if any), whom to cite.

    noise: where the wrong labels come from, if they were not planted here. sha256: who published the hashes.
    """

    description: str | None = Field(default=None, min_length=1)
    url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    licence: str | None = Field(default=None, min_length=1)
    citation: str | None = Field(default=None, min_length=1)
    noise: str | None = Field(default=None, min_length=1)
    sha256: str | None = Field(default=None, min_length=1)


class _Named(BaseModel):
    """A name, with or without options."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class LearnerSpec(_Named):
    """A learner by name, with its options, which are checked when the learner is created."""

    name: str = "logistic"


class PredictorSpec(_Named):
    """A predictor by name, with its options, which are checked when the predictor is run.

    `as` names its submissions (default: the predictor's name). `format` selects a suffix other than the default, if the
    task has one: npz for image_retrieval.
    """

    name: str
    method: str | None = Field(default=None, alias="as", min_length=1)
    format: str | None = None


class DatasetBlock(Strict):
    """One data set: its ids, where its files come from (tried in order), and how it is scored.

    raw: the files that `cifar:` makes a data set of, each with its sha256.
    """

    task: str = "cleaning"
    enabled: bool = True
    sources: tuple[Source, ...] = ()
    raw: tuple[Source, ...] = ()
    files: dict[str, str] = Field(default_factory=dict)
    ids: tuple[str, ...] = ()
    noise: Noise | None = None
    draws: tuple[int, ...] = ()
    learner: LearnerSpec | None = None
    split: SplitSpec | None = None
    card: Card | None = None

    @field_validator("sources", "raw", mode="before")
    @classmethod
    def _bare_sources(cls, value: Any) -> Any:
        items = [value] if isinstance(value, str) else value
        return _as_tuple(
            [{"source": item} if isinstance(item, str) else item for item in items]
            if isinstance(items, list)
            else items
        )

    @field_validator("ids", "draws", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return _listed(value)

    @field_validator("ids")
    @classmethod
    def _usable_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_names(value, "a data id")

    @field_validator("files")
    @classmethod
    def _safe_files(cls, value: dict[str, str]) -> dict[str, str]:
        for name, digest in value.items():
            if name.startswith("/") or ".." in Path(name).parts or not name.startswith(("embeddings/", "data/")):
                raise PydanticCustomError(
                    "file_name", "{name} must be under embeddings/ or data/", {"name": repr(name)}
                )
            if not re.match(_SHA256, digest):
                raise PydanticCustomError(
                    "sha256",
                    "{digest} of {name} is not a sha256 (64 lower-case hexadecimal digits)",
                    {"digest": repr(digest), "name": name},
                )
        return value

    def data_ids(self, block: str) -> tuple[str, ...]:
        """The data ids of this block: those listed, or the block's name with the number of each draw."""
        draws = self.noise.draws if self.noise is not None else self.draws
        return self.ids or tuple(f"{block}-{draw}" for draw in draws)


class Parameters(Strict):
    """The whole file.

    jobs: how many curves, or blocks of a long curve, are computed at the same time.
    cluster: the address of a Dask scheduler to send these jobs to. target, budgets: see cleaning's Plan.
    lenient: whether a sister task counts a missing answer as wrong instead of refusing the submission.
    rules: by task, which submission of a team counts and how often a team may submit.
    limits: by task, what the programs of the closed division may use.
    rounds: after how many fixes `fixfirst rounds` asks a ranker again; None: it is not asked again.
    bounds: oracles that read the ground truth, drawn beside the submissions for comparison and never written as files.
    """

    version: Literal[1] = 1
    seeds: tuple[Annotated[int, Field(ge=0, le=999_999_999)], ...] = Field(default=(0,), min_length=1)
    jobs: int = 1
    cluster: str | None = None
    budgets: int | tuple[int, ...] | None = None
    target: float = Field(default=0.95, gt=0, le=1)
    tasks: tuple[str, ...] = Field(default=("cleaning",), min_length=1)
    rankers: Literal["all"] | tuple[str, ...] = "all"
    rounds: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    bounds: tuple[str, ...] = ()
    lenient: bool = False
    predictors: Literal["all"] | tuple[PredictorSpec, ...] = "all"
    learner: LearnerSpec = LearnerSpec()
    rules: dict[str, Rules] = Field(default_factory=dict)
    limits: dict[str, LimitSpec] = Field(default_factory=dict)
    datasets: dict[str, DatasetBlock] = Field(default_factory=dict)

    @field_validator("budgets", mode="before")
    @classmethod
    def _numbers_of_fixes(cls, value: Any) -> Any:
        numbers = value if isinstance(value, list) else [value]
        if value is not None and (value in (0, []) or any(type(n) is not int or n < 0 for n in numbers)):
            found = {"found": f"; found {value}" if numbers is value else ""}
            raise PydanticCustomError("budgets", "give a number of points, or a list of numbers of fixes{found}", found)
        return _as_tuple(value)

    @field_validator("jobs", "cluster")
    @classmethod
    def _engine_can_be_made(cls, value: Any, info: ValidationInfo) -> Any:
        try:
            Engine(**{str(info.field_name): value})
        except InvalidInput as error:
            raise PydanticCustomError("engine", "{fix}", {"fix": error.fix}) from None
        return value

    @field_validator("seeds", "tasks", "rankers", "bounds", "predictors", mode="before")
    @classmethod
    def _list(cls, value: Any, info: ValidationInfo) -> Any:
        return value if value == "all" and info.field_name in ("rankers", "predictors") else _listed(value)

    @field_validator("datasets")
    @classmethod
    def _usable_names(cls, value: dict[str, DatasetBlock]) -> dict[str, DatasetBlock]:
        _checked_names(tuple(value), "the name of a data set")
        return value

    @model_validator(mode="after")
    def _each_id_once(self) -> "Parameters":
        owner: dict[str, str] = {}
        for block, name in ((b, name) for b, spec in self.datasets.items() for name in spec.data_ids(b)):
            if name in owner:
                raise PydanticCustomError(
                    "data_id",
                    "the data id {name} appears in both {first} and {second}",
                    {"name": repr(name), "first": owner[name], "second": block},
                )
            owner[name] = block
        return self

    def enabled(self, task: str | None = None) -> dict[str, DatasetBlock]:
        """The enabled data set blocks, of one task or of all."""
        return {n: b for n, b in self.datasets.items() if b.enabled and (task is None or b.task == task)}

    def engine(self) -> Engine:
        """The engine that computes curves."""
        return Engine(self.jobs, self.cluster)

    def learner_of(self, data_id: str) -> LearnerSpec:
        """The learner a data id is scored with: its block's, or else the top-level one."""
        for name, block in self.enabled().items():
            if data_id in block.data_ids(name) and block.learner is not None:
                return block.learner
        return self.learner


def parse_parameters(path: Path) -> tuple[Parameters, LocatedYaml]:
    """Validates the file; returns its content and the lines of its keys.

    Raises InvalidInput with the file, line, key and fix.
    """
    if not path.exists():
        raise InvalidInput(
            path,
            "there is no such file",
            "name the workspace with --workspace=DIR, or the file with --parameters_file=FILE",
        )
    located = LocatedYaml(path)
    try:
        return Parameters.model_validate(located.data), located
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        keys = tuple(step for step in error["loc"] if step != "[key]")
        more = f" (the first of {failure.error_count()} problems)" if failure.error_count() > 1 else ""
        unknown = error.get("ctx", {}).get("key", "").strip("'") if error["type"] == "unknown_key" else ""
        line = located.line((*keys, unknown) if unknown else keys)
        found = "" if unknown or isinstance(error["input"], dict | list | tuple) else f", found {error['input']!r}"
        place = Place(path, line=line, key=".".join(map(str, keys)) or None)
        raise InvalidInput(place, f"{error['msg']}{found}{more}", "correct this line") from None


def _checked_names(names: tuple[str, ...], what: str) -> tuple[str, ...]:
    """Checks that names, which become parts of file names, contain nothing that could form a path."""
    for name in names:
        if not _NAME.fullmatch(name):
            context = {"name": repr(name), "what": what}
            raise PydanticCustomError("name", "{name} cannot be {what}; use letters, digits, '-', '_' and '.'", context)
    return names


def _listed(value: Any) -> Any:
    if isinstance(value, str | int):
        raise PydanticCustomError("bare_value", "write a list: [{value}]", {"value": value})
    return _as_tuple(value)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
