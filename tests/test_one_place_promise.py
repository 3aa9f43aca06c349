"""A ranker, a learner, an encoder, a command or a data set is one file or block, a task one folder (its predictors
another): done here, in a copy of the project, with nothing else touched.
"""

import csv
import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from PIL import Image

from evaluation.contract.record import read_records
from tests.support import copy_room, noisy_blobs, write_dataset, write_parameters

pytestmark = pytest.mark.slow
RANKER = '''"""Norm of the embedding."""
import numpy as np

def rank(train, validation, *, rng):
    return np.linalg.norm(train.features, axis=1)
'''

LEARNER = '''"""The majority of the training labels."""
from dataclasses import dataclass
import numpy as np

@dataclass(frozen=True)
class Learner:
    def describe(self):
        return {"name": "majority"}

    def accuracies(self, path, test, progress):
        states = [np.bincount(path.labels_at(state)).argmax() for state in range(len(path))]
        return np.array([np.mean(test.labels == label) for label in states])
'''

ENCODER = '''"""The mean of all pixels."""
import numpy as np

class Encoder:
    identity = "mean/1"

    def __init__(self, model=None):
        pass

    def encode(self, pictures):
        return np.array([[pixels.mean()] for pixels in pictures], dtype=np.float32)
'''

COMMAND = '''"""Say hello"""

def add_arguments(parser):
    parser.add_argument("--name", default="you")

def run(options):
    print(f"hello {options.name}")
    return 0
'''

# Numbers, and whether each is odd: a text file of 0 and 1 is the answer.
TASK = {
    "__init__": '"""Odd or even."""',
    "task": '''"""How many of some numbers are told odd from even."""
from cleaning.errors import InvalidInput, data_at_fault
from evaluation.contract.metric import Metric
from evaluation.contract.task import Outcome, Task
from evaluation.files.whole import read_text
from evaluation.submissions.answers import cases, data_id_of, publish_nothing


def _scored(path, truth):
    with data_at_fault():
        right = read_text(truth).split()
    given = read_text(path).split()
    if len(given) != len(right):
        raise InvalidInput(path, f"{len(given)} answers of {len(right)}", "answer every number")
    return sum(a == b for a, b in zip(given, right)), len(right)


def score(case, progress):
    hits, n = _scored(case.path, case.folders.groundtruth_folder / case.dataset / "odd.txt")
    return Outcome({"hits": float(hits)}, {"n_truth": n})


def validate(path, folders, parameters):
    data_id = data_id_of(path, "odd", parameters, (".odd",))
    _, n = _scored(path, folders.groundtruth_folder / data_id / "odd.txt")
    return f"{n} numbers"


TASK = Task(
    name="odd", version=1, suffixes=(".odd",),
    main=Metric("hits", "hits", greater_is_better=True, limits=(0, None)), others=(),
    load=lambda folders, parameters: cases("odd", (".odd",), lambda f: [f / "odd.txt"], folders, parameters),
    score=score, validate=validate, figures=lambda records: iter(()), publish=publish_nothing,
)
''',
    "problem": '''"""numbers.txt: the numbers."""
from evaluation.contract.problem import Loaded, ProblemFiles
from evaluation.files.whole import read_text

PROBLEM = ProblemFiles(
    ".odd",
    load=lambda folder: Loaded([int(n) for n in read_text(folder / "numbers.txt").split()], None),
    content=lambda answer, loaded: " ".join(str(int(a)) for a in answer).encode(),
)
''',
    "made_of_digits": '''"""Ten numbers."""
from evaluation.files.whole import write_text


def write(draw):
    numbers = [(draw.number + 3 * n) % 10 for n in range(10)]
    write_text(draw.own_embeddings / "numbers.txt", " ".join(map(str, numbers)))
    write_text(draw.own_data / "odd.txt", " ".join(str(n % 2) for n in numbers))
''',
    "example": '''"""Three numbers."""
from evaluation.contract.example import DATA_ID, Example
from evaluation.files.whole import write_text


def write(embeddings, data):
    write_text(data / DATA_ID / "odd.txt", "1 0 1")
    return Example(".odd", "1 0 0", "1 0")
''',
}

PREDICTOR = '''"""Looks at the last bit."""

def predict(problem, *, rng, progress):
    return [n & 1 for n in problem]
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with one more of everything."""
    place = tmp_path_factory.mktemp("project")
    for room in ("cleaning", "baselines", "evaluation"):
        copy_room(room, place)
    write_dataset(place / "workspace", *noisy_blobs("blobs", n=30))
    files = {
        "baselines/rankers/norm.py": RANKER,
        "workspace/rankers/own_norm.py": RANKER,
        "cleaning/learners/majority.py": LEARNER,
        "evaluation/embedding/encoders/mean.py": ENCODER,
        "evaluation/commands/hello.py": COMMAND,
        **{f"evaluation/tasks/odd/{name}.py": text for name, text in TASK.items()},
        "baselines/predictors/odd/__init__.py": "",
        "baselines/predictors/odd/last_bit.py": PREDICTOR,
    }
    for path, text in files.items():
        (place / path).parent.mkdir(exist_ok=True)
        (place / path).write_text(text)
    blocks = {
        "made": {"ids": ["blobs"]},
        "more": {"sources": "sklearn:digits", "noise": {"kind": "symmetric", "rate": 0.1}},
        "nine": {"task": "odd", "sources": "sklearn:digits", "draws": [0, 1]},
    }
    tasks = ["cleaning", "odd"]
    write_parameters(
        place / "workspace", tasks=tasks, rankers=["norm", "own_norm"], learner="majority", datasets=blocks
    )
    (place / "pictures").mkdir()
    Image.new("RGB", (4, 4), (10, 20, 30)).save(place / "pictures" / "a.png")
    return place


@pytest.fixture(scope="module")
def told(project, nothing_in_cleanlab):
    """What commands say there."""
    good = "example_odd/submissions/example_good.odd"
    return fixfirst(
        project,
        nothing_in_cleanlab,
        "ls",
        "run",
        "embed pictures --encoder=mean --output=e.parquet",
        "--help",
        "hello --name=world",
        "leaderboard --task=odd",
        "example odd",
        f"validate {good} --workspace=example_odd",
    )


# a process imports the copy of the project, which takes longer than most commands
COMMANDS = """
import json, sys
from evaluation.cli import main
for arguments in json.loads(sys.argv[1]):
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    print("end of", arguments[0], status, flush=True)
"""


def fixfirst(project, nothing_in_cleanlab, *commands):
    """What each command has said; they run one after the other in one process."""
    words = [command.split() for command in commands]
    environment = {**os.environ, "PYTHONPATH": f"{project}:{nothing_in_cleanlab}", "COVERAGE_PROCESS_START": ""}
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(words)],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told, left = [], done.stdout
    for name, *_ in words:
        text, end, left = left.partition(f"end of {name} 0\n")
        assert end, done.stdout + done.stderr
        told.append(text)
    return told


def methods(project, task):
    with (project / "workspace" / "results" / "leaderboard.csv").open() as file:
        return [row["method"] for row in csv.DictReader(file) if row["task"] == task]


def test_a_ranker_a_learner_an_encoder_a_command_are_one_file_and_a_data_set_is_one_block(project, told):
    listed, _, _, help_text, hello, *_ = told
    for line in ("norm: Norm of the embedding.", "own_norm: Norm of the embedding.", "mean: The mean of all pixels."):
        assert f"  {line}" in listed
    assert "  majority: The majority of the training labels." in listed
    results = project / "workspace" / "results"
    assert sorted(methods(project, "cleaning")) == ["norm", "own_norm"]
    pictures = {path.name for path in results.glob("*_evaluation.png")}
    assert {"blobs_evaluation.png", "more-0_evaluation.png"} <= pictures
    learners = [r.settings["learner"] for r in read_records(results / "results.jsonl") if r.task == "cleaning"]
    assert learners == [{"name": "majority"}] * 4
    assert pq.read_table(project / "e.parquet")["encoding"].to_pylist() == [[20.0]]
    assert "  hello             Say hello\n" in help_text
    assert hello == "hello world\n"


def test_a_task_is_one_folder(project, told):
    listed, ran, *_, board, example, valid = told
    assert "  odd: How many of some numbers are told odd from even." in listed
    assert "  last_bit: Looks at the last bit." in listed
    assert "6 submissions for 4 data ids: 6 written" in ran
    assert "hits (higher is better)" in ran
    assert methods(project, "odd") == ["last_bit"]
    assert "1  last_bit  10.000000" in board
    assert (project / "workspace" / "results" / "odd_overview.svg").exists()
    assert "valid (3 numbers)" in example
    assert "2 answers of 3" in example
    assert "valid (3 numbers)" in valid
