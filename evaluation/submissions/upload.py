"""One method's rankings as the upload form of the DataPerf challenge on Dynabench takes them.

The form has a field for each data id of the challenge, and each field takes one text file with exactly 300 lines. It
takes neither archives nor times, and all eight files at once. The rules ask for a description of the method as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cleaning.errors import InvalidInput, first_three, listed, printable, suggest
from evaluation.files.names import composed, not_hidden
from evaluation.files.whole import make_folder, plain_errors, read_text, refuse_odd_entry, write_text
from evaluation.submissions.ranking_lines import read_ranking
from evaluation.submissions.rankings import SUFFIX, is_time_file, longest_id

IDS = tuple(f"{concept}{kind}" for concept in ("01g317", "04hgtk", "04rky", "09j2d") for kind in ("", "-flipped"))
"""The data ids of the challenge."""

_ROWS = 300
UPLOADS_A_DAY = 20


@dataclass(frozen=True)
class Upload:
    """What was written for a method, in order of data id, and what was not: missing ids, and ids of other data."""

    written: tuple[Path, ...]
    description: Path
    missing: tuple[str, ...]
    others: tuple[str, ...]


def write_upload(
    folder: Path, method: str, own_ids: Sequence[str], summary: str, target: Path, *, partial: bool
) -> Upload:
    """Checks a method's rankings in the submission folder and writes those of the challenge to the target folder.

    own_ids: further data ids whose rankings may be in the folder. summary: what the method does, for the description,
    which is not written again once it is there for this method. Files of an earlier upload are removed.
    Raises InvalidInput for an invalid ranking, if there is none, and unless `partial` if one is missing.
    """
    if target.resolve() == folder.resolve():
        raise InvalidInput(target, "the command reads this folder", "name another one with --output=DIR")
    rankings = _rankings(folder, [*IDS, *own_ids])
    own = rankings.get(composed(method), {})
    missing = tuple(data_id for data_id in IDS if data_id not in own)
    others = tuple(data_id for data_id in own if data_id not in IDS)
    if missing and (not partial or len(missing) == len(IDS)):
        count = "all eight are missing" if len(missing) == len(IDS) else f"missing, {first_three(missing)}"
        fix = f"rank {listed(missing)} first" if own else suggest(method, rankings)
        if own and len(missing) < len(IDS):
            fix += ", or write what there is with --partial"
        problem = f"the rankings of {method!r} for the challenge are not complete ({count})"
        raise InvalidInput(folder, problem, fix)
    orders = {}
    for data_id in IDS:
        if data_id in own:
            refuse_odd_entry(own[data_id], folder)
            orders[data_id] = read_ranking(own[data_id], _ROWS).order
    _clear(target)
    written = [target / f"{data_id}{SUFFIX}" for data_id in orders]
    for path, order in zip(written, orders.values(), strict=True):
        write_text(path, "".join(f"{row}\n" for row in order.tolist()))
    return Upload(tuple(written), _described(target, method, summary), missing, others)


def _rankings(folder: Path, ids: Sequence[str]) -> dict[str, dict[str, Path]]:
    """The ranking files in the folder by method and data id."""
    found: dict[str, dict[str, Path]] = {}
    for path in not_hidden(folder.glob(f"*{SUFFIX}"), folder):
        data_id = None if is_time_file(path, ids) else longest_id(path.stem, ids)
        if data_id is not None:
            found.setdefault(composed(path.stem[len(data_id) + 1 :]), {})[data_id] = path
    return found


def _clear(target: Path) -> None:
    """Removes the rankings of an earlier upload first, so that those of two methods are never mixed."""
    make_folder(target)
    for path in (target / f"{data_id}{SUFFIX}" for data_id in IDS):
        with plain_errors(path, "remove the earlier file"):
            path.unlink(missing_ok=True)


def _described(target: Path, method: str, summary: str) -> Path:
    """The description of the method, which is the user's to complete."""
    path = target / "description.md"
    title = f"# {printable(method)}\n"
    if not path.is_file() or not read_text(path, limit=1_000_000).startswith(title):
        text = f"{title}\n{summary}\n\n<!-- Say how the method chooses the labels to inspect, and who submits it. -->\n"
        write_text(path, text)
    return path
