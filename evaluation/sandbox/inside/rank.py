"""Runs a ranker inside a sandbox: `rank.py SUBMISSION INPUT ANSWER SEEDS`, with SEEDS a JSON list of numbers.

SUBMISSION is a file or a folder with a function `rank(train, validation, *, rng)`, or with the class `CustomAppraiser`
of the challenge's original. ANSWER gets {"scores": [...]}, one label-quality score per row, or {"order": [...]}.
"""

import importlib
import importlib.util
import inspect
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent


def main(submission: str, data: str, answer: str, seeds: str) -> None:
    """Loads the data and the submission, ranks, and writes the answer."""
    sys.path[:0] = [str(HERE.parent / "packages"), str(HERE / "original")]
    import numpy as np

    from cleaning.ranking import Ranking, said_of_order

    train, validation = _split(Path(data, "train.parquet")), _split(Path(data, "val.parquet"))
    module, numbers = _module(Path(submission)), json.loads(seeds)
    if hasattr(module, "rank"):
        watched = {"progress": _silent} if "progress" in inspect.signature(module.rank).parameters else {}
        found = module.rank(train, validation, rng=np.random.default_rng(numbers), **watched)
    elif hasattr(module, "CustomAppraiser"):
        found = _appraised(module.CustomAppraiser, train, validation, numbers)
    else:
        sys.exit(f"{submission} has neither a function rank(train, validation, *, rng) nor a class CustomAppraiser")
    if isinstance(found, Ranking):
        content = {"order": found.order.tolist()}
    elif np.iscomplexobj(found):
        sys.exit("the scores are complex numbers; return one real number per training row")
    else:
        said = said_of_order(found)
        sys.stderr.write("" if said is None else f"warning: {said}\n")
        content = {"scores": np.asarray(found, dtype=np.float64).ravel().tolist()}
    Path(answer).write_text(json.dumps(content))


def _split(path: Path) -> Any:
    if not path.exists():
        return None
    import numpy as np
    import pyarrow.parquet as pq

    from cleaning.data import Split

    with pq.ParquetFile(path) as file:  # neither this nor from_dlpack imports pandas
        table = file.read()
    column = table.column("encoding").combine_chunks()
    features: Any = np.from_dlpack(column.flatten()).reshape(len(column), -1)
    labels = np.asarray(np.from_dlpack(table.column("label").combine_chunks()), dtype=np.int64)
    return Split(features, labels, tuple(table.column("filename").to_pylist()))


def _module(path: Path) -> ModuleType:
    """The submission as a module: a file, a package, or the file rank.py of a folder."""
    if path.is_dir() and not (path / "__init__.py").exists():
        path = path / "rank.py"
    sys.path.append(str(path.parent))  # last, because a submission may have the name of a module, such as random
    if path.is_dir():
        return importlib.import_module(path.name)
    spec = importlib.util.spec_from_file_location("submission", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path.name} is not a Python file")
    module = sys.modules["submission"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _appraised(appraiser: Any, train: Any, validation: Any, seeds: list[int]) -> Any:
    """The order that the original's kind of class proposes; its labels are columns, as there."""
    import numpy as np

    from cleaning.ranking import Ranking

    np.random.seed(np.random.SeedSequence(seeds).generate_state(1)[0])  # noqa: NPY002 - what the original draws from
    trusted = validation if validation is not None else train.take([])
    made = appraiser()
    made.fit(train.features, train.labels[:, None], trusted.features, trusted.labels[:, None])
    rows = made.propose(budget=len(train))
    return Ranking(np.asarray([int(row) for row in rows], dtype=np.int64))


def _silent(done: float, total: float, note: str = "", /) -> None:
    pass


if __name__ == "__main__":
    main(*sys.argv[1:])
