"""What a form reads: ids, labels and what the rows are judged by, before anything is turned into numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cleaning.labels.classes import Labels
from cleaning.labels.evidence import Evidence, Scaling, contents
from cleaning.labels.votes import Votes
from evaluation.embedding.embed import OnUndecodable
from evaluation.embedding.preparation import Settings
from evaluation.files.whole import sha256_bytes

_HASH = 16


@dataclass(frozen=True)
class Options:
    """How to read a source. What is None is guessed from what is there; `Found.options` has the guesses filled in.

    labels: a table with labels (or an npy of them) for a source that has none. label_column: one, or a list of columns,
    which becomes `annotators`: those with the votes of several people. annotator_column: who gave each label of the
    table `labels`, which then has a line per vote. number_rows: the ids are row numbers, whatever columns there are.
    features: names of columns, where `*` at the end stands for any rest. classes: labels that look like a quantity are
    meant as classes. probabilities: those of the user's own model, in the order of the rows.
    """

    labels: Path | None = None
    label_column: str | None = None
    annotators: tuple[str, ...] | None = None
    annotator_column: str | None = None
    id_column: str | None = None
    number_rows: bool = False
    features: tuple[str, ...] | None = None
    embedding_column: str | None = None
    image_column: str | None = None
    text_column: str | None = None
    scaling: Scaling | None = None
    classes: bool = False
    probabilities: Path | None = None
    encoder: str | None = None
    encoder_size: int | None = None
    encoder_mean: tuple[float, ...] | None = None
    encoder_std: tuple[float, ...] | None = None
    encoder_output: str | None = None
    jobs: int = 1
    on_undecodable: OnUndecodable = "error"

    @property
    def network(self) -> Settings:
        """What the user says about the network of the encoder."""
        return Settings(self.encoder_size, self.encoder_mean, self.encoder_std, self.encoder_output)


def hashes_of(evidence: Evidence) -> tuple[str, ...]:
    """Of each row's content."""
    return tuple(sha256_bytes(one)[:_HASH] for one in contents(evidence))


def no_picture(row: int) -> bytes | None:
    """The picture of a row that has none."""
    return None


def no_text(row: int) -> str | None:
    """The text of a row that has none."""
    return None


def no_columns(row: int) -> Mapping[str, str]:
    """The columns of a row that has none."""
    return {}


@dataclass(frozen=True)
class Views:
    """What a person can look at, by row."""

    picture: Callable[[int], bytes | None] = no_picture
    text: Callable[[int], str | None] = no_text
    columns: Callable[[int], Mapping[str, str]] = no_columns


@dataclass(frozen=True, eq=False)
class Found:
    """The rows of one source as they are stored.

    votes: those of annotators, if the labels are what most of them said. said: what was taken from where, in a few
    words each. hashes: of each row's content, or None if `evidence` is the content. files: the files that were read
    whole, as they were named. left_out and doubtful: columns that are, or may be, other labels of the rows.
    """

    form: str
    options: Options
    ids: Sequence[str]
    labels: Labels
    evidence: Evidence
    said: Sequence[str]
    hashes: tuple[str, ...] | None = None
    files: tuple[Path, ...] = ()
    views: Views = field(default_factory=Views)
    votes: Votes | None = None
    left_out: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
