"""What an organiser decides: the public part, which submission counts, and how often a team may submit."""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from cleaning.errors import suggest


class Strict(BaseModel):
    """A model that rejects unknown keys, does not convert types and cannot be changed after creation."""

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
    """Which ids are public: a share of them, chosen by the hash of `salt` and id, or those listed in `file`.

    public: the share. salt: the default is the data id. Anyone who knows the salt can work out which ids are public.
    file: a name in data/{data_id}/, with one id per line.
    enabled: false scores everything together, even if the task has a split of its own.
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
        """The split as stored in the settings of a record; None if everything is scored together."""
        if not self.enabled:
            return None
        if self.file is not None:
            return {"file": self.file}
        return {"public": self.public, "salt": data_id if self.salt is None else self.salt}


class Rate(Strict):
    """How often a team may submit to a data id. Days are UTC days.

    per_day: the number of submissions per day. accumulate: unused submissions carry over to later days, counted from
    the day `since` (default: the day of the team's first submission). since: nothing is accepted before this day.
    total: the number of submissions overall. minutes_apart: the pause between two submissions, at most a year.
    """

    enabled: bool = True
    per_day: int | None = Field(default=None, ge=1)
    total: int | None = Field(default=None, ge=1)
    minutes_apart: float = Field(default=0.0, ge=0, le=366 * 24 * 60, allow_inf_nan=False)
    accumulate: bool = False
    since: date | None = None

    @property
    def limits(self) -> bool:
        """Whether there is anything that could keep a team from submitting."""
        return self.enabled and any((self.per_day, self.total, self.minutes_apart, self.since))


Counts = Literal["last_valid", "best"]


class Rules(Strict):
    """Which submission of a team counts, and how often it may submit. Anything left out is taken from the task.

    last_valid: the last submission that was scored without error. best: the one with the best main metric on the public
    part (on everything, if there is no split); ties go to the earliest.
    """

    counts: Counts | None = None
    rate: Rate | None = None

    def over(self, own: "Rules") -> "Rules":
        """These rules, with `own` for whatever they leave out."""
        return Rules(
            counts=own.counts if self.counts is None else self.counts, rate=own.rate if self.rate is None else self.rate
        )
