"""results/judged.jsonl: every run of the closed division, one line each. Only ever appended to; for the organiser."""

import json
from dataclasses import asdict
from pathlib import Path

from evaluation.contract.record import now
from evaluation.files.whole import append_line, drop_half_line
from evaluation.harness.judging.code import Code
from evaluation.harness.judging.judge import Judged
from evaluation.settings.folders import Folders
from evaluation.settings.limits import Allowed


def note_run(
    judged: Judged, code: Code, task: str, data_id: str, team: str, allowed: Allowed, folders: Folders
) -> None:
    """Adds a line. What the program wrote to standard error is not kept: it could hold the hidden data."""
    outcome, path = judged.outcome, book(folders)
    line = {
        "task": task,
        "dataset": data_id,
        "team": team,
        "code_sha256": code.sha256,
        "division": "closed",
        "engine": outcome.engine,
        "verdict": outcome.verdict,
        "problem": outcome.problem,
        "seconds": outcome.seconds,
        "cpu_seconds": outcome.cpu_seconds,
        "peak_memory": outcome.peak_memory,
        "enforced": list(outcome.enforced),
        "limits": asdict(allowed),
        "created": now(),
    }
    drop_half_line(path)
    append_line(path, json.dumps(line))


def book(folders: Folders) -> Path:
    """The path of the file."""
    return folders.results_folder / "judged.jsonl"
