"""Ranking files: `{data_id}_{method}.txt`, one row number per line, and `time_{data_id}_{method}.txt` beside it.

Names are matched against the known data ids, longest first, because a data id may contain `-` and a method `_`, spaces
and parentheses. Rankings for seeds other than the first are in `seed-N/` below the folder.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleaning import InvalidInput, Ranking
from cleaning.errors import suggest
from evaluation.contract.task import Rejected
from evaluation.files.names import composed, not_hidden
from evaluation.files.whole import write_text
from evaluation.submissions.ranking_lines import read_ranking
from evaluation.submissions.time_files import read_seconds, time_of_ranking, write_seconds

SUFFIX = ".txt"
"""The suffix of ranking files."""

_LONGEST_METHOD = 100
_SEED_FOLDER = re.compile(r"seed-([0-9]{1,9})")


@dataclass(frozen=True)
class SubmissionFile:
    """A ranking file found in the submission folder."""

    path: Path
    data_id: str
    method: str
    seed: int

    @property
    def time_path(self) -> Path:
        """The file with the seconds the ranking took."""
        return time_of_ranking(self.path)


@dataclass(frozen=True)
class Submission:
    """A validated submission: which rows to fix in which order, and the seconds the ranking took (None: unknown)."""

    data_id: str
    method: str
    ranking: Ranking
    seconds: float | None


def place_of_seed(folder: Path, seed: int, first_seed: int) -> Path:
    """The folder of a seed's submissions: the submission folder for the first, seed-N below it for the others."""
    return folder if seed == first_seed else folder / f"seed-{seed}"


def find_submissions(
    folder: Path, data_ids: Iterable[str], first_seed: int, suffix: str = SUFFIX
) -> list[SubmissionFile | Rejected]:
    """Every file with the suffix in the folder and its seed-N folders that is not hidden, in order of name.

    A file whose name fits no known data id, and a method's second file, come back as Rejected, with the InvalidInput
    that explains it.
    """
    ids = tuple(data_ids)
    places = seed_folders(folder, first_seed)
    found = [
        one
        for place, seed in places
        for path in not_hidden(place.glob(f"*{suffix}"), place)
        for one in _identified(path, ids, seed, suffix)
    ]
    first: dict[object, SubmissionFile] = {}
    return [one if isinstance(one, Rejected) else _unless_second(one, first) for one in found]


def _unless_second(file: SubmissionFile, first: dict[object, SubmissionFile]) -> SubmissionFile | Rejected:
    """The file, or a rejection if the method already has one: two spellings of a file name can be one name."""
    other = first.setdefault((file.data_id, file.method, file.seed), file)
    return file if other is file else Rejected(file.path, second_file(file.path, other.path))


def second_file(path: Path, first: Path) -> InvalidInput:
    """The error that a method has a second file."""
    return InvalidInput(path, f"{first.name} is by the same method", "keep one of them")


def seed_folders(folder: Path, first_seed: int) -> list[tuple[Path, int]]:
    """The submission folder with the first seed, and its seed-N folders with their seeds.

    Raises InvalidInput for a seed-N folder of the first seed and for leading zeros as in seed-01, because each seed has
    exactly one folder.
    """
    found = [(folder, first_seed)]
    for place in sorted(folder.glob("seed-*")):
        match = _SEED_FOLDER.fullmatch(place.name)
        if match is None or not place.is_dir():
            continue
        seed = int(match[1])
        if seed == first_seed or match[1] != str(seed):
            raise InvalidInput(
                place,
                "this is not a valid folder for a seed's submissions",
                f"put those for seed {first_seed} in {folder} and others in seed-N, where N has no leading zeros",
            )
        found.append((place, seed))
    return found


def identify(path: Path, data_ids: Sequence[str], seed: int, suffixes: Sequence[str] = (SUFFIX,)) -> SubmissionFile:
    """Splits the name of a submission file into data id and method. suffixes: the suffixes its task reads.

    Raises InvalidInput for an unknown data id, for a method that is missing or cannot be printed, and for any other
    suffix.
    """
    form = " or ".join(f"DATAID_METHOD{suffix}" for suffix in suffixes)
    data_id = longest_id(path.stem, data_ids)
    if data_id is None:
        raise InvalidInput(
            path,
            "the name does not start with a known data id and an underscore",
            f"name it {form}; {suggest(path.stem.rpartition('_')[0], data_ids)}",
        )
    method = composed(path.stem[len(data_id) + 1 :])
    if not method.isprintable():
        raise InvalidInput(path, f"the method's name {method!a} cannot be printed", "rename the file")
    if method != method.strip():
        raise InvalidInput(path, f"the method's name {method!r} starts or ends with a blank", "rename the file")
    if len(method) > _LONGEST_METHOD:
        problem = f"the method's name has {len(method)} characters, more than {_LONGEST_METHOD}"
        raise InvalidInput(path, problem, "rename the file")
    if path.suffix not in suffixes:
        raise InvalidInput(path, f"`evaluate` does not read files with the suffix {path.suffix!r}", f"name it {form}")
    return SubmissionFile(path, data_id, method, seed)


def is_time_file(path: Path, data_ids: Sequence[str]) -> bool:
    """Whether a name is `time_` followed by a known data id, and is not itself the name of a ranking."""
    return (
        path.stem.startswith("time_")
        and longest_id(path.stem, data_ids) is None
        and longest_id(path.stem[5:], data_ids) is not None
    )


def read_submission(file: SubmissionFile, rows: int) -> Submission:
    """Reads and checks a ranking of `rows` training rows and its time file.

    Raises InvalidInput with file, line, value and fix unless every row 0 … rows-1 is listed exactly once, one per line.
    A byte-order mark, CRLF line ends, blanks around a number and a missing time file (seconds: None) are accepted.
    """
    return Submission(file.data_id, file.method, read_ranking(file.path, rows), read_seconds(file.time_path))


def write_submission(path: Path, ranking: Ranking, seconds: float) -> None:
    """Writes the Dynabench pair of text files, the ranking last, so that it never exists without its time."""
    write_seconds(time_of_ranking(path), seconds)
    write_text(path, "".join(f"{row}\n" for row in ranking.order.tolist()))


def _identified(path: Path, data_ids: Sequence[str], seed: int, suffix: str) -> list[SubmissionFile | Rejected]:
    if is_time_file(path, data_ids):
        return []
    try:
        return [identify(path, data_ids, seed, (suffix,))]
    except InvalidInput as error:
        return [Rejected(path, error)]


def longest_id(stem: str, data_ids: Sequence[str]) -> str | None:
    """The data id that the stem of a submission file starts with; the longest if several fit."""
    fitting = [name for name in data_ids if stem.startswith(f"{name}_") and len(stem) > len(name) + 1]
    return max(fitting, key=len, default=None)
