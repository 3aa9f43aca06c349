"""The commands, the workspace each starts from, and what must be the same whatever happened on the way."""

import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cleaning import Ranking
from evaluation.cli import main
from evaluation.labels.decisions import DecisionLog
from evaluation.submissions.rankings import write_submission
from evaluation.submissions.upload import IDS
from tests.evaluation.labels.decided import decide, entry_of
from tests.support import noisy_blobs, write_dataset, write_parameters

PICTURES = 130
"""More than two batches of `embed`."""


@dataclass(frozen=True)
class Scenario:
    """A command. after: the commands that are run before it. arguments: made for a folder that holds the workspace."""

    after: tuple[str, ...]
    arguments: Callable[[Path], list[str]]


def _in(place: Path) -> str:
    return f"--workspace={place / 'w'}"


def _step(name: str, *after: str) -> Scenario:
    return Scenario(after, lambda place: [name, _in(place)])


STEPS = ("download", "create_baselines", "evaluate")
SCENARIOS: dict[str, Scenario] = {
    "download": _step("download"),
    "create_baselines": _step("create_baselines", *STEPS[:1]),
    "rounds": _step("rounds", *STEPS[:1]),
    "evaluate": _step("evaluate", *STEPS[:2]),
    "plot": _step("plot", *STEPS),
    "run": _step("run"),
    "leaderboard": Scenario(STEPS, lambda place: ["leaderboard", "--task=logo", _in(place)]),
    "submit": Scenario(
        STEPS[:1], lambda place: ["submit", str(place / "inbox" / "l_team.csv"), "--team=team", _in(place)]
    ),
    "bundle": Scenario(
        (),
        lambda place: [
            "bundle",
            "mine",
            _in(place),
            f"--submission_folder={place}/mine",
            f"--output={place}/out/upload",
        ],
    ),
    "rank": Scenario(
        STEPS[:1],
        lambda place: [
            "rank",
            str(next((place / "w" / "embeddings").glob("x_train*.parquet"))),
            f"--output={place}/out/ranking.csv",
        ],
    ),
    "embed": Scenario((), lambda place: ["embed", str(place / "pictures"), f"--output={place}/out/e.parquet"]),
    "retrieve": Scenario(
        (), lambda place: ["retrieve", f"{place}/vectors.npy", f"{place}/vectors.npy", f"--output={place}/out/r.npz"]
    ),
    "blend": Scenario(
        (), lambda place: ["blend", f"{place}/a.csv", f"{place}/b.csv", f"--output={place}/out/blend.csv"]
    ),
    "rank_review": Scenario((), lambda place: ["rank", f"{place}/labels.csv", f"--review={place}/out/labels_review"]),
    "decisions": Scenario(
        (), lambda place: ["decisions", f"{place}/handed_in.jsonl", f"--review={place}/labels_review"]
    ),
    "apply": Scenario((), lambda place: ["apply", f"{place}/labels_review", f"--output={place}/out/fixed.csv"]),
    "export": Scenario(
        (), lambda place: ["export", f"{place}/labels_review", "--to=label-studio", f"--output={place}/out/tasks.json"]
    ),
    "review": Scenario((), lambda place: ["review", f"{place}/labels_review", f"--static={place}/out/page.html"]),
    "score": Scenario(
        STEPS[:2],
        lambda place: [
            "score",
            str(place / "w" / "submissions" / "x_random.txt"),
            "--data=x",
            f"--output={place}/out/score.json",
            _in(place),
        ],
    ),
    "publish": Scenario(STEPS, lambda place: ["publish", _in(place), f"--output={place}/out/site"]),
    "judge": Scenario(
        STEPS[:1],
        lambda place: [
            "judge",
            f"{place}/first.py",
            f"--sets={place}/w/parameters.yaml",
            "--task=cleaning",
            *(() if shutil.which("bwrap") else ("--trust",)),
        ],
    ),
    "example": Scenario((), lambda place: ["example", "logo", f"--output={place}/out/example"]),
}
"""By the name of the command; `rank_review` is `rank` with a review folder instead of a single table."""
ONLY_READ = ("compare", "doctor", "ls", "rehearse", "validate")


def prepare(place: Path) -> None:
    """Everything the scenarios start from, before any command was run."""
    write_dataset(place / "origin", *noisy_blobs("x", n=24))
    logo = {"task": "logo", "ids": ["l"]}
    write_parameters(
        place / "w",
        tasks=["cleaning", "logo"],
        predictors=[],
        datasets={"made": {"ids": ["x"], "sources": ["file:../origin"]}, "logo": logo},
        rankers=["random", "knn_shapley", "again"],
        rounds=5,
    )
    (place / "w" / "rankers").mkdir()
    text = "def rank(train, validation, *, rng, checked=None):\n    return train.features[:, len(checked or ()) % 3]\n"
    (place / "w" / "rankers" / "again.py").write_text(text)
    (place / "w" / "embeddings" / "l").mkdir(parents=True)
    _write_logo(place)
    rng = np.random.default_rng(0)
    (place / "pictures").mkdir()
    for number in range(PICTURES):
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / "pictures" / f"{number:03d}.png")
    np.save(place / "vectors.npy", rng.normal(size=(2000, 8)))
    (place / "vectors.txt").write_text("".join(f"v{number}\n" for number in range(2000)))
    for name in ("a", "b"):
        shares = rng.random(3000)
        rows = [f"{number}.png,{share:.6f},{1 - share:.6f}\n" for number, share in enumerate(shares)]
        (place / f"{name}.csv").write_text("file,x,y\n" + "".join(rows))
    for data_id in IDS:
        write_submission(place / "mine" / f"{data_id}_mine.txt", Ranking(np.arange(300)), 1.0)
    _write_review(place)
    text = "def rank(train, validation, *, rng):\n    return train.features[:, 0]\n"
    (place / "first.py").write_text(text)


def _write_review(place: Path) -> None:
    """labels.csv, its review folder with three decisions, and three more in a file that somebody handed in."""
    rows = noisy_blobs("labels", n=60)[0].train
    lines = [
        ",".join([f"r{number}", *map(str, row), f"class {label}"]) + "\n"
        for number, (row, label) in enumerate(zip(rows.features.tolist(), rows.labels.tolist(), strict=True))
    ]
    names = [f"e{number}" for number in range(rows.features.shape[1])]
    (place / "labels.csv").write_text(",".join(["id", *names, "label"]) + "\n" + "".join(lines))
    with redirect_stdout(io.StringIO()):
        assert main(["rank", str(place / "labels.csv")]) == 0
    folder = place / "labels_review"
    review = decide(folder, {0: "keep", 1: "drop", 2: "unsure"})
    other = [entry_of(review, row, f"={review.source.classes[0]}", "bob", row) for row in (3, 4)]
    log = DecisionLog(place / "handed_in.jsonl")
    log.append(lambda: [*other, entry_of(review, 5, "keep", "bob", 5)])


def _write_logo(place: Path) -> None:
    from evaluation.embedding.embed import write_embeddings
    from evaluation.embedding.tables import read_embeddings

    picture = place / "picture.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    content = picture.read_bytes()
    for part, names in (("train", ("p/a.png", "q/b.png")), ("test", ("1.png", "2.png"))):
        path = place / "w" / "embeddings" / "l" / f"{part}.parquet"
        write_embeddings(dict.fromkeys(names, content), path)
        read_embeddings(path)
    truth, answer = "file,category\n1.png,p\n2.png,q\n", "file,category\n1.png,p\n2.png,p\n"
    for folder, name, text in (("data/l", "test_labels.csv", truth), ("submissions", "l_mine.csv", answer)):
        (place / "w" / folder).mkdir(parents=True, exist_ok=True)
        (place / "w" / folder / name).write_text(text)
    (place / "inbox").mkdir()
    (place / "inbox" / "l_team.csv").write_text(answer)


def start(base: Path, place: Path, scenario: Scenario) -> None:
    """A copy of the prepared folder in which the earlier commands were run."""
    shutil.copytree(base, place)
    for name in scenario.after:
        with redirect_stdout(io.StringIO()):
            status = main([name, _in(place)])
        if status:
            raise AssertionError(f"{name} failed")


def state(place: Path) -> dict[str, object]:
    """The content of every file, without times of day, durations and the name of the machine."""
    found: dict[str, object] = {}
    for path in sorted(path for path in place.rglob("*") if path.is_file()):
        name, content = path.relative_to(place).as_posix(), path.read_bytes()
        if name.endswith((".seconds", ".png", ".svg", "README.txt")) or path.name.startswith("time_"):
            content = b"there" if content else b"empty"
        if path.name == "judged.jsonl":  # one line per run, also of those that were killed later
            found[name] = content.endswith(b"\n")
        elif path.suffix == ".jsonl":
            found[name] = _lines(path.name, content)
        elif path.name.startswith(("leaderboard", "report", "index")):
            found[name] = len(content) > 0
        else:
            found[name] = content
    return found


def _lines(name: str, content: bytes) -> object:
    """The lines of a log in a form that does not depend on when they were written, or in what order."""
    if not content.endswith(b"\n"):
        return "the last line is not complete"
    lines = [json.loads(line) for line in content.splitlines()]
    if name == ".made.jsonl":
        return {line[0]: line[1:] for line in lines}
    moments = ("created", "environment", "seconds", "received", "written", "settings", "fingerprint", "basis")
    return sorted(
        json.dumps({key: value for key, value in line.items() if key not in moments}, sort_keys=True) for line in lines
    )


def leftovers(place: Path) -> list[str]:
    """Temporary files, locks and half-made folders."""
    ends = (".tmp", ".lock", ".part", ".parts", ".staging")
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.name.endswith(ends))
