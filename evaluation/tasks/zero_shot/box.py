"""What a program of the closed division finds: DATASET/classes.json and DATASET/img/ for each data set to classify.

It is called with this folder, and writes the answer as JSON.
"""

import shutil
from pathlib import Path, PurePosixPath

import numpy as np

from cleaning import InvalidInput
from evaluation.contract.box import Boxed, link_or_copy
from evaluation.files.archive import unpack
from evaluation.files.names import not_hidden
from evaluation.files.whole import plain_errors, read_bytes
from evaluation.settings.folders import Folders


def lay_out(folders: Folders, data_id: str, target: Path, rng: np.random.Generator | None) -> Boxed:
    """Copies class names and pictures; these come from data/ID/pictures.zip or data/ID/DATASET/img/."""
    classes, data = folders.embedding_folder / data_id, folders.groundtruth_folder / data_id
    names = [path.parent.name for path in not_hidden(classes.glob("*/classes.json"), classes)]
    if not names:
        raise InvalidInput(classes, "there is no data set to classify", "add DATASET/classes.json, or download it")
    with plain_errors(target, "copy the pictures"):
        for name in names:
            (target / name / "img").mkdir(parents=True)
            shutil.copyfile(classes / name / "classes.json", target / name / "classes.json")
            for path in not_hidden((data / name / "img").glob("*"), data):
                link_or_copy(path, target / name / "img" / path.name)
    if (data / "pictures.zip").exists():
        unpack(data / "pictures.zip", lambda member: _place(member, names, target))
    for name in names:
        if not any((target / name / "img").iterdir()):
            problem = f"there are no pictures of the data set {name!r}"
            raise InvalidInput(data, problem, f"put them into {name}/img/, or into {name}/img/ of pictures.zip")
    return Boxed("answer.json", read_bytes)


def _place(member: str, names: list[str], target: Path) -> Path | None:
    """Where a member of the archive goes; None for training pictures."""
    parts = PurePosixPath(member).parts
    return target.joinpath(*parts) if len(parts) == 3 and parts[0] in names and parts[1] == "img" else None
