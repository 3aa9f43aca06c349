"""The closed division: same numbers as outside, verdicts that blame nobody wrongly, and nothing of hidden data said."""

import io
import json
import subprocess
import sys
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from baselines.rankers import expected_use, knn_shapley
from cleaning import InvalidInput, Ranking
from cleaning.errors import FixfirstError
from evaluation.contest.log import SubmissionLog
from evaluation.contract.loading import load_parameters
from evaluation.contract.record import latest, read_records
from evaluation.contract.registry import box_of
from evaluation.contract.registry import task as task_named
from evaluation.datasets.download import download
from evaluation.datasets.layout import load_dataset
from evaluation.files.progress import Reporter
from evaluation.harness.evaluate import evaluate
from evaluation.harness.judging import sets, stage
from evaluation.harness.judging.book import book
from evaluation.harness.judging.code import taken_in
from evaluation.harness.judging.judge import judge_entry
from evaluation.harness.judging.rehearse import rehearse
from evaluation.harness.judging.scoring import metrics_of
from evaluation.harness.seeding import generator
from evaluation.sandbox.bare import Bare
from evaluation.settings.folders import Folders
from evaluation.tasks.cleaning.box import read_answer
from tests.evaluation.conftest import CONTAINERS
from tests.support import write_parameters

CLEANING = task_named("cleaning")
APPRAISER = """
import numpy as np
from sklearn.model_selection import train_test_split
from appraiser import Appraiser
from classifier import LogisticClassifier as Classifier


class CustomAppraiser(Appraiser):
    def __init__(self) -> None:
        super().__init__()
        self.name = "my_debug"
        self.clf = Classifier()

    def fit(self, train_X, train_y, val_X, val_y):
        assert train_y.shape == (len(train_X), 1)
        self.clf.fit(val_X, val_y)
        self.sample = np.random.choice(len(train_X), len(train_X), replace=False)

    def propose(self, budget):
        return self.sample[:budget]
"""
"""In the form of the original's debugging.py."""


@pytest.fixture
def engine_is_chosen(engine, monkeypatch):
    monkeypatch.setattr(stage, "engine_for", lambda code, **_: (engine, code))
    return engine


def entry(tmp_path, text, name="mine.py"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def judged(folders, text_or_path, engine, *, data_id="blobs", task=CLEANING, shuffle=7, name=None, **limits):
    parameters = load_parameters(folders.parameters_file)
    if limits:
        spec = {task.name: {"minutes": 1.0, **limits}}
        parameters = type(parameters).model_validate({**parameters.model_dump(by_alias=True), "limits": spec})
    rng = None if shuffle is None else np.random.default_rng(shuffle)
    with taken_in(text_or_path, 700) as code:
        return judge_entry(code, task, data_id, folders, parameters, engine, name=name or code.name, shuffle=rng)


def outside(ranker, dataset, name):
    found = ranker(dataset.train, dataset.validation, rng=generator(dataset.name, name, 0))
    ranking = found if isinstance(found, Ranking) else Ranking.from_scores(found)
    return "".join(f"{row}\n" for row in ranking.order.tolist()).encode()


def test_the_shared_ids_get_the_same_numbers_as_outside(engine, dataperf, tmp_path):
    ids = ["01g317", "01g317-flipped", "04rky", "04rky-flipped"]
    write_parameters(tmp_path, datasets={"d": {"ids": ids}})
    folders = replace(Folders.in_workspace(tmp_path), embedding_folder=dataperf / "embeddings")
    for data_id in ids if CONTAINERS else ids[-1:]:
        found = judged(folders, expected_use.__file__, engine, data_id=data_id, name="expected_use")
        assert found.outcome.verdict == "ok", found.outcome
        dataset = load_dataset(folders.embedding_folder, data_id)
        assert found.content == outside(expected_use.rank, dataset, "expected_use")


def test_a_file_of_the_original_runs_unchanged(engine, folders, tmp_path):
    found = judged(folders, entry(tmp_path, APPRAISER, "debugging.py"), engine)
    assert found.outcome.verdict == "ok", found.outcome.log
    assert sorted(map(int, found.content.split())) == list(range(30))


def test_a_folder_and_a_package_are_rankers_too(engine, folders, tmp_path):
    for name, file in (("plain", "rank.py"), ("package", "__init__.py")):
        place = tmp_path / name
        place.mkdir()
        (place / "helper.py").write_text("def score(train):\n    return list(range(len(train)))[::-1]\n")
        dot = "." if file == "__init__.py" else ""
        (place / file).write_text(
            f"from {dot}helper import score\n\ndef rank(train, validation, *, rng):\n    return score(train)\n"
        )
        found = judged(folders, str(place), engine, shuffle=None)
        assert found.content is not None, found.outcome.log
        assert found.content.split()[0] == b"29"


def test_nobody_else_on_this_machine_reads_what_is_handed_in(tmp_path):
    with taken_in(entry(tmp_path, "x = 1\n"), 1) as code:
        assert code.path.parent.stat().st_mode & 0o777 == 0o700
        assert code.path.stat().st_mode & 0o777 == 0o644
    assert not code.path.parent.exists()


def test_it_finds_neither_names_nor_test_rows_nor_the_order_of_the_rows(engine, folders, tmp_path):
    text = (
        "import os, sys\n"
        "def rank(train, validation, *, rng):\n"
        "    sys.stderr.write(repr((sorted(os.listdir('/input')), train.ids[:3], os.listdir('/submission'))))\n"
        "    return list(train.features[:, 0])\n"
    )
    found = judged(folders, entry(tmp_path, text), engine)
    log = found.outcome.log.decode()
    assert "['train.parquet', 'val.parquet']" in log
    assert "s1-" not in log
    train = load_dataset(folders.embedding_folder, "blobs").train
    assert found.content == "".join(f"{row}\n" for row in np.argsort(train.features[:, 0], kind="stable")).encode()


@pytest.mark.parametrize(
    ("text", "verdict", "problem"),
    [
        ("return [float('nan')] * len(train)", "answer", "its answer is not one that the task cleaning accepts"),
        ("raise ValueError('the secret')", "failed", "it ended with an error"),
        ("return [bytearray(10**7) for _ in range(100)]", "memory", "it needed more than the 400 MB of memory allowed"),
    ],
)
def test_a_verdict_says_what_happened_and_nothing_of_the_data(text, verdict, problem, engine, folders, tmp_path):
    whole = f"def rank(train, validation, *, rng):\n    {text}\n"
    found = judged(folders, entry(tmp_path, whole), engine, memory_mb=400)
    assert (found.outcome.verdict, found.outcome.problem, found.content) == (verdict, problem, None)


@pytest.mark.parametrize(
    "content",
    [
        "[1, 2]",
        '{"scores": [1, 2]}',
        '{"scores": [1, 2, "x"]}',
        '{"order": [0, 1, 1]}',
        '{"order": 3}',
        "0\n1\n1\n",
        "",
    ],
)
def test_an_answer_that_is_no_ranking_is_refused(content, tmp_path):
    path = tmp_path / "ranking.txt"
    path.write_text(content)
    with pytest.raises(FixfirstError):
        read_answer(path, np.array([2, 0, 1]))


def test_an_answer_comes_back_in_our_own_order_of_the_rows(tmp_path):
    path, order = tmp_path / "ranking.txt", np.array([2, 0, 1])
    for content in ('{"scores": [0.5, 0.1, 0.5]}', '{"order": [1, 2, 0]}', "1\n2\n0\n"):
        path.write_text(content)
        assert read_answer(path, order) == b"0\n1\n2\n"


def test_judge_scores_as_a_file_and_records_the_division(engine_is_chosen, ranked, tmp_path):
    out = io.StringIO()
    parameters = load_parameters(ranked.parameters_file)
    reporter = Reporter(out, out)
    assert sets.judge(knn_shapley.__file__, ranked, parameters, CLEANING, reporter, team="closed one")
    assert evaluate(ranked, reporter) == 0
    records = {(one.method, one.dataset): one for one in latest(read_records(ranked.results_file))}
    for data_id in ("blobs", "blobs-b"):
        ours, theirs = records["closed one", data_id], records["knn_shapley", data_id]
        assert ours.metrics == theirs.metrics
        assert (ours.division, ours.engine, theirs.division) == ("closed", engine_is_chosen.name, "open")
        assert ours.code_sha256 is not None
        assert ours.seconds > 0
    entries = [one for one in SubmissionLog(ranked.submission_log).read().entries if one.team == "closed one"]
    assert {one.code_sha256 for one in entries} == {records["closed one", "blobs"].code_sha256}
    assert "up to 10% of 600 s" in out.getvalue()
    assert "blobs-b: accepted as submission 1 of closed one to blobs-b\n  score: score 0." in out.getvalue()
    assert "closed one: score 0." in out.getvalue()
    lines = [json.loads(line) for line in book(ranked).read_text().splitlines()]
    assert [line["verdict"] for line in lines] == ["ok", "ok"]


def test_a_failure_is_logged_and_keeps_the_earlier_answer(engine_is_chosen, folders, tmp_path):
    parameters, out = load_parameters(folders.parameters_file), io.StringIO()
    for predict, fine in (('seq 0 29 >"$2"\n', True), ("exit 3\n", False)):
        path = archive(tmp_path / "team.tar.gz", {"setup.sh": "true\n", "predict.sh": predict})
        assert sets.judge(path, folders, parameters, CLEANING, Reporter(out, out)) == fine
    entries = SubmissionLog(folders.submission_log).read().slots["cleaning", "blobs", "team", 0]
    assert [(one.number, one.verdict) for one in entries] == [(1, "accepted"), (1, "ok"), (None, "failed")]
    assert entries[2].reason == "failed: it ended with an error"
    assert entries[2].code_sha256 not in (None, entries[0].code_sha256)


class Broken(Bare):
    def session(self, job, limits):
        context = super().session(job, limits)

        class Wrong:
            def __enter__(self):
                return replace(context.__enter__(), command=["false"])

            def __exit__(self, *error):
                return context.__exit__(*error)

        return Wrong()


def test_what_is_the_fault_of_the_organiser_costs_no_try(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "engine_for", lambda code, **_: (Broken(), code))
    out = io.StringIO()
    parameters = load_parameters(folders.parameters_file)
    assert not sets.judge(entry(tmp_path, "x = 1\n"), folders, parameters, CLEANING, Reporter(out, out))
    assert "not_run" in out.getvalue()
    assert not folders.submission_log.exists()


def test_trusted_code_enters_no_results(folders, tmp_path):
    out = io.StringIO()
    parameters = load_parameters(folders.parameters_file)
    path = archive(tmp_path / "mine.tar.gz", {"setup.sh": "true\n", "predict.sh": 'seq 0 29 >"$2"\n'})
    assert sets.judge_trusted(path, folders, parameters, CLEANING, Reporter(out, out))
    assert "on no board" in out.getvalue()
    assert not folders.results_file.exists()
    assert not folders.submission_log.exists()
    assert json.loads(book(folders).read_text().splitlines()[0])["engine"] == "none"


def test_rehearse_tells_everything_and_leaves_nothing(engine, folders, tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "engine_for", lambda code, **_: (engine, code))
    out = io.StringIO()
    predict = "printf 'seen \\033[31m row\\n' >&2; seq 0 29 >\"$2\"\n"
    path = archive(tmp_path / "mine.tar.gz", {"setup.sh": "true\n", "predict.sh": predict})
    parameters = load_parameters(folders.parameters_file)
    before = sorted(folders.parameters_file.parent.rglob("*"))
    assert rehearse(path, folders, parameters, CLEANING, Reporter(out, out), trust=False)
    said = out.getvalue()
    assert r"  | seen \x1b[31m row" in said
    assert "another answer" in said
    assert "of 600 s" in said
    assert ", score " in said
    assert sorted(folders.parameters_file.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("returned", "said", "answered"),
    [
        (
            "np.arange(len(train))[::-1]",
            "  | warning: its scores are the numbers 0 to 29, each once, which looks",
            True,
        ),
        ("np.ones(len(train)) * 1j", "  | the scores are complex numbers; return one real number", False),
    ],
)
def test_rehearse_points_out_an_order_in_place_of_scores(
    returned, said, answered, engine, folders, tmp_path, monkeypatch
):
    monkeypatch.setattr(stage, "engine_for", lambda code, **_: (engine, code))
    path = tmp_path / "mine.py"
    path.write_text(f"import numpy as np\n\ndef rank(train, validation, *, rng):\n    return {returned}\n")
    parameters, out = load_parameters(folders.parameters_file), io.StringIO()
    assert rehearse(str(path), folders, parameters, CLEANING, Reporter(out, out), trust=False) == answered
    assert said in out.getvalue()


def test_the_truth_may_not_lie_where_every_program_reads(tmp_path, monkeypatch):
    with pytest.raises(FixfirstError, match="the truth must not be there"):
        sets.refuse_visible(type(tmp_path)(sys.prefix) / "data")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../x", "not a valid team name"),
        ("", "not a valid team name"),
        (" x", "not a valid team name"),
        ("b_x", "an answer to the data id blobs_b"),
        ("oracle_influence", "is the name of a bound"),
        ("knn", "already an answer of 'knn'"),
    ],
)
def test_a_team_has_a_name_of_its_own_before_anything_is_run(name, words, folders, tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "engine_for", lambda code, **_: (Broken(), code))
    write_parameters(folders.parameters_file.parent, datasets={"a": {"ids": ["blobs", "blobs_b"]}})
    folders.submission_folder.mkdir()
    (folders.submission_folder / "blobs_b_knn.txt").write_text("0\n")
    parameters, out = load_parameters(folders.parameters_file), io.StringIO()
    with pytest.raises(FixfirstError, match=words):
        sets.judge(entry(tmp_path, "x = 1\n"), folders, parameters, CLEANING, Reporter(out, out), team=name)
    assert not folders.results_folder.exists()


@pytest.mark.parametrize(
    ("name", "fix"),
    [("none.py", "no such file"), ("mine.rar", "neither a Python file nor an archive"), ("image:a b", "not the name")],
)
def test_what_cannot_be_run_is_refused_in_one_sentence(name, fix, tmp_path):
    if name == "mine.rar":
        (tmp_path / name).write_bytes(b"Rar!")
    with pytest.raises(InvalidInput, match=fix), taken_in(name if ":" in name else str(tmp_path / name), 1):
        pass


def test_a_folder_with_a_link_and_a_large_file_are_refused(tmp_path):
    place = tmp_path / "folder"
    place.mkdir()
    (place / "rank.py").symlink_to("/etc/passwd")
    with pytest.raises(InvalidInput, match="not a regular file"), taken_in(str(place), 1):
        pass
    (tmp_path / "large.zip").write_bytes(bytes(2 << 20))
    with pytest.raises(InvalidInput, match="more than the 1 allowed"), taken_in(str(tmp_path / "large.zip"), 1):
        pass


# zero-shot archives

PREDICT = """\
import json, pathlib, sys
from PIL import Image
answer = {}
for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    classes = json.loads((folder / "classes.json").read_text())
    ink = {path.stem: sum(Image.open(path).tobytes()) for path in (folder / "img").iterdir()}
    answer[folder.name] = {name: value % len(classes) for name, value in ink.items()}
pathlib.Path(sys.argv[2]).write_text(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The default data of the zero-shot task, as an organiser has them."""
    place = tmp_path_factory.mktemp("digits")
    block = {"digits-names": {"task": "zero_shot", "sources": "sklearn:digits", "draws": [0]}}
    write_parameters(place, tasks=["zero_shot"], datasets=block)
    folders = Folders.in_workspace(place)
    download(folders, Reporter(io.StringIO(), io.StringIO()))
    return folders


def archive(path, files):
    with tarfile.open(path, "w:gz") as made:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text.encode()), 0o755
            made.addfile(info, io.BytesIO(text.encode()))
    return str(path)


def test_a_zero_shot_archive_gets_the_same_score_as_outside(engine, digits, tmp_path):
    task = task_named("zero_shot")
    parameters = load_parameters(digits.parameters_file)
    scripts = {"setup.sh": "echo made > model\n", "predict.sh": 'cat model >&2; python3 predict.py "$1" "$2"\n'}
    path = archive(tmp_path / "team.tar.gz", {**scripts, "predict.py": PREDICT})
    found = judged(digits, path, engine, data_id="digits-names-0", task=task)
    assert found.outcome.verdict == "ok", found.outcome
    data = tmp_path / "data"
    data.mkdir()
    box_of(task)(digits, "digits-names-0", data, None)
    (tmp_path / "predict.py").write_text(PREDICT)
    command = [sys.executable, tmp_path / "predict.py", data, tmp_path / "answer.json"]
    subprocess.run(command, check=True)
    here = (tmp_path / "answer.json").read_bytes()
    scores = [metrics_of(content, "digits-names-0", task, digits, parameters) for content in (found.content, here)]
    assert scores[0] == scores[1]
    assert 0 < scores[0]["accuracy"] < 50


def test_both_scripts_have_one_time_limit_and_no_truth(engine, digits, tmp_path):
    task = task_named("zero_shot")
    scripts = {
        "setup.sh": "sleep 0.5\n",
        "predict.sh": 'find "$1" -type f | sed "s/[0-9]*.jpg/N.jpg/" | sort -u >&2; sleep 20\n',
    }
    path = archive(tmp_path / "team.tar.gz", scripts)
    found = judged(digits, path, engine, data_id="digits-names-0", task=task, minutes=0.02)
    assert found.outcome.verdict == "time"
    assert found.outcome.seconds >= 1.2
    shown = ["/input/digits-en/classes.json", "/input/digits-en/img/N.jpg"]
    assert found.outcome.log.decode().split()[:2] == shown
