"""What an organiser decides: which part scores in public, which submission counts, how often one may try."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cleaning.errors import suggest


class Strict(BaseModel):
    """No unknown keys, no silent conversion of types, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _name_the_nearest_key(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key in value:
                if key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_key",
                        "unknown key {key}; {hint}",
                        {"key": repr(key), "hint": suggest(str(key), cls.model_fields)},
                    )
        return value


class SplitSpec(Strict):
    """Which ids score in public: the share `public` of them by the hash of `salt` and id, or those that `file` lists.

    file: a name in data/{data_id}/, one id a line. salt: whoever knows it can tell the parts; default: the data id.
    enabled: false scores everything together although the task has a split of its own.
    """

    enabled: bool = True
    public: float | None = Field(default=None, gt=0, lt=1)
    salt: str | None = None
    file: str | None = None

    @field_validator("file")
    @classmethod
    def _plain_name(cls, value: str | None) -> str | None:
        if value is not None and ("/" in value or "\\" in value or value in ("", ".", "..")):
            raise PydanticCustomError("file_name", "this is not the name of a file in data/ID/", {})
        return value

    @model_validator(mode="after")
    def _one_way(self) -> "SplitSpec":
        if self.enabled and (self.public is None) == (self.file is None):
            raise PydanticCustomError("split", "give either `public: SHARE` or `file: NAME`", {})
        if self.salt is not None and self.public is None:
            raise PydanticCustomError("split", "`salt` needs `public: SHARE`", {})
        return self

    def settings(self, data_id: str) -> dict[str, Any] | None:
        """The split as it goes into the settings of a record; None where everything scores together."""
        if not self.enabled:
            return None
        if self.file is not None:
            return {"file": self.file}
        return {"public": self.public, "salt": data_id if self.salt is None else self.salt}


class Rate(Strict):
    """How often a team may submit to a data id. Days are those of UTC.

    per_day: so many a day; with `accumulate` what was left of earlier days stays, counted from the day `since`
    (default: the day of the team's first submission). total: so many in all. minutes_apart: the pause after each,
    at most a year.
    """

    enabled: bool = True
    per_day: int | None = Field(default=None, ge=1)
    total: int | None = Field(default=None, ge=1)
    minutes_apart: float = Field(default=0.0, ge=0, le=366 * 24 * 60, allow_inf_nan=False)
    accumulate: bool = False
    since: date | None = None


Counts = Literal["last_valid", "best"]


class Rules(Strict):
    """Which submission of a team counts, and how often it may submit; what is left out is the task's own rule.

    last_valid: the last one that was scored without error; best: the one with the best main metric in public (on
    everything, where there is no split), the earliest of equals.
    """

    counts: Counts | None = None
    rate: Rate | None = None

    def over(self, own: "Rules") -> "Rules":
        """These rules where they say something, `own` elsewhere."""
        return Rules(
            counts=own.counts if self.counts is None else self.counts, rate=own.rate if self.rate is None else self.rate
        )
