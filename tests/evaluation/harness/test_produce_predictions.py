import io

import numpy as np
import pytest
import yaml

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.contract import registry
from evaluation.contract.loading import load_parameters
from evaluation.datasets.download import download
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_tree
from evaluation.harness.produce import create_baselines
from evaluation.settings.folders import Folders
from evaluation.submissions.ranked_lists import read_lists
from tests.evaluation.tasks.test_problems import write_embeddings

MINE = '''"""Always the first label."""
import numpy as np

TASK = "logo"

def predict(problem, *, rng, progress, bold=False):
    answer = np.zeros((len(problem.test), problem.n_classes))
    answer[:, 1 if bold else 0] = 1
    return answer
'''


def write_workspace(place, **settings):
    """A logo data id `marks` with two labels, put there by hand."""
    place.mkdir(parents=True, exist_ok=True)
    content = {"tasks": list(registry.tasks()), "datasets": {"made": {"task": "logo", "ids": ["marks"]}}, **settings}
    (place / "parameters.yaml").write_text(yaml.safe_dump(content))
    folder = place / "embeddings" / "marks"
    write_embeddings(folder / "train.parquet", [f"{label}/{n}.png" for label in ("a", "b") for n in range(6)])
    write_embeddings(folder / "test.parquet", [f"{n}.png" for n in range(3)])
    return Folders.in_workspace(place)


@pytest.fixture
def folders(tmp_path):
    return write_workspace(tmp_path / "workspace")


def run(folders):
    reporter = Reporter(io.StringIO(), io.StringIO())
    failures = create_baselines(folders, reporter)
    return failures, reporter.out.getvalue(), reporter.err.getvalue()


def submissions(folders):
    return {
        path.relative_to(folders.submission_folder).as_posix() for path in folders.submission_folder.rglob("[!.]*.*")
    }


def drop(folders, text, name="mine"):
    folders.ranker_folder.mkdir(exist_ok=True)
    (folders.ranker_folder / f"{name}.py").write_text(text)


def test_every_predictor_of_the_task_answers_and_says_how_long(folders):
    failures, out, _ = run(folders)
    assert failures == 0
    assert "create_baselines: 2 submissions for 1 data id: 2 written" in out
    names = ("marks_logistic_head", "marks_logistic_discriminant")
    expected = {f"{place}{name}.csv" for name in names for place in ("", "probabilities/")}
    assert submissions(folders) == expected | {f"{name}.seconds" for name in names}
    assert 0 < float((folders.submission_folder / "marks_logistic_head.seconds").read_text()) < 60


def test_the_same_seed_writes_the_same_bytes_and_another_its_own_folder(folders):
    run(folders)
    place = folders.submission_folder
    first = {path.name: path.read_bytes() for path in place.glob("marks_*.csv")}
    write_workspace(folders.parameters_file.parent, seeds=[0, 1], predictors=["logistic_discriminant"])
    run(folders)
    assert first == {path.name: path.read_bytes() for path in place.glob("marks_*.csv")}
    assert (place / "seed-1" / "marks_logistic_discriminant.csv").exists()
    assert not (place / "seed-1" / "marks_logistic_head.csv").exists()


def test_a_users_predictor_is_one_file_and_announced(folders):
    drop(folders, MINE)
    drop(folders, "def rank(train, validation, *, rng): ...\n", "other")
    _, out, _ = run(folders)
    assert "loaded the predictor mine from" in out
    assert (folders.submission_folder / "marks_mine.csv").read_text() == "file,category\n0.png,a\n1.png,a\n2.png,a\n"
    assert "mine" not in registry.rankers(folders.ranker_folder)


def test_options_and_a_name_of_its_own_come_from_parameters(folders):
    drop(folders, MINE)
    write_workspace(folders.parameters_file.parent, predictors=["mine", {"name": "mine", "as": "brave", "bold": True}])
    assert run(folders)[0] == 0
    assert (folders.submission_folder / "marks_brave.csv").read_text().startswith("file,category\n0.png,b")
    assert (folders.submission_folder / "marks_mine.csv").read_text().startswith("file,category\n0.png,a")


@pytest.mark.parametrize(
    ("predictors", "message"),
    [
        (
            [{"name": "logistic_head", "strenght": 2.0}],
            "unknown option 'strenght'; did you mean strength|unknown option",
        ),
        (["logistic_haed"], "did you mean logistic_head"),
        ([{"name": "logistic_head", "format": "npz"}], "unknown format 'npz'. Fix: known: csv"),
        (["logistic_head", "logistic_head"], "the method 'logistic_head' is already in use"),
    ],
)
def test_unknown_predictors_and_options_are_answered_with_the_nearest(folders, predictors, message):
    write_workspace(folders.parameters_file.parent, predictors=predictors)
    with pytest.raises(InvalidInput, match=message):
        run(folders)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def predict(problem, *, rng, progress): ...\n", "a predictor needs a public `TASK`"),
        ('TASK = "logos"\ndef predict(problem, *, rng, progress): ...\n', "did you mean logo"),
    ],
)
def test_a_predictor_without_a_known_task_is_refused(folders, text, message):
    drop(folders, text)
    with pytest.raises(InvalidInput, match=message):
        run(folders)


def test_lists_are_written_as_npz_when_asked_and_only_once(tmp_path):
    content = {
        "tasks": list(registry.tasks()),
        "datasets": {"made": {"task": "image_retrieval", "ids": ["shop"]}},
        "predictors": ["centred_cosine"],
    }
    tmp_path.joinpath("parameters.yaml").write_text(yaml.safe_dump(content))
    for name, ids in (("query", ["q1.jpg", "q2.jpg"]), ("reference", ["r2.jpg", "r1.jpg", "r3.jpg"])):
        write_embeddings(tmp_path / "embeddings" / "shop" / f"{name}.parquet", ids)
    folders = Folders.in_workspace(tmp_path)
    assert run(folders)[0] == 0
    args = (("q1", "q2"), ("r1", "r2", "r3"), 9)
    text = read_lists(folders.submission_folder / "shop_centred_cosine.json", *args, lenient=False)
    content["predictors"] = [{"name": "centred_cosine", "format": "npz"}]
    tmp_path.joinpath("parameters.yaml").write_text(yaml.safe_dump(content))
    assert run(folders)[0] == 0
    assert submissions(folders) == {"shop_centred_cosine.npz", "shop_centred_cosine.seconds"}
    compact = read_lists(folders.submission_folder / "shop_centred_cosine.npz", *args, lenient=False)
    assert np.array_equal(text.ranks, compact.ranks)


def test_a_predictor_that_breaks_is_reported_with_its_line_and_the_others_go_on(folders):
    drop(folders, 'TASK = "logo"\n\ndef predict(problem, *, rng, progress):\n    return 1 / 0\n')
    failures, _, err = run(folders)
    assert failures == 1
    assert "mine.py, line 4: the predictor crashed (ZeroDivisionError" in err
    assert (folders.submission_folder / "marks_logistic_head.csv").exists()
    assert not (folders.submission_folder / "marks_mine.csv").exists()


def test_a_predictor_that_does_not_fit_is_left_out(folders):
    body = "TASK = 'logo'\ndef predict(problem, *, rng, progress):\n    raise Unsuitable('no')\n"
    drop(folders, f"from cleaning import Unsuitable\n{body}")
    failures, _, err = run(folders)
    assert failures == 0
    assert "mine left out on marks: no" in err


def test_a_data_id_that_cannot_be_read_fails_all_its_predictors(folders):
    (folders.embedding_folder / "marks" / "test.parquet").unlink()
    failures, _, err = run(folders)
    assert failures == 2
    assert err.count("test.parquet: there is no such file") == 1


def test_without_data_sets_nothing_is_made(folders):
    write_workspace(folders.parameters_file.parent, datasets={})
    assert run(folders) == (0, "create_baselines: 0 submissions for 0 data ids: none\n", "")


def test_a_predictor_that_is_left_out_does_not_count_as_written(folders):
    body = "TASK = 'logo'\ndef predict(problem, *, rng, progress):\n    raise Unsuitable('no')\n"
    drop(folders, f"from cleaning import Unsuitable\n{body}")
    assert "3 submissions for 1 data id: 2 written, 1 left out" in run(folders)[1]


def test_the_command_lists_and_runs_predictors(folders, capsys):
    workspace = f"--workspace={folders.parameters_file.parent}"
    assert main(["ls", workspace]) == 0
    assert "  logistic_head: Logo classes by one multinomial" in capsys.readouterr().out
    assert main(["create_baselines", workspace]) == 0
    assert "2 submissions for 1 data id: 2 written" in capsys.readouterr().out


def test_download_makes_default_data_once_and_again_when_it_was_changed(tmp_path):
    block = {"task": "camera_trap", "sources": "sklearn:digits", "draws": [0]}
    place = write_workspace(tmp_path / "w", datasets={"clips": block})

    def told():
        reporter = Reporter(io.StringIO(), io.StringIO())
        download(place, reporter)
        return reporter.out.getvalue()

    assert told() == "clips: 1 data id from sklearn:digits\n"
    before = sha256_tree(place.embedding_folder / "clips-0")
    assert told() == "clips: 1 data id, already present\n"
    np.save(place.embedding_folder / "clips-0" / "test.npy", np.zeros((1, 2, 3)))
    assert told() == "clips: 1 data id from sklearn:digits\n"
    assert sha256_tree(place.embedding_folder / "clips-0") == before
    write_workspace(tmp_path / "w", datasets={"clips": {**block, "draws": [1]}})
    assert told() == "clips: 1 data id from sklearn:digits\n"
    assert not (place.embedding_folder / "clips-0").exists()


def test_data_ids_of_a_sister_task_come_from_a_folder_or_an_archive(tmp_path):
    import shutil

    there = write_workspace(tmp_path / "there")
    (there.groundtruth_folder / "marks" / "test").mkdir(parents=True)
    (there.groundtruth_folder / "marks" / "test" / "x.png").write_text("picture")
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "there")
    for number, source in enumerate(("file:../there", f"file:{archive}")):
        block = {"task": "logo", "ids": ["marks"], "sources": [source]}
        here = write_workspace(tmp_path / f"here{number}", datasets={"made": block})
        shutil.rmtree(here.embedding_folder)
        reporter = Reporter(io.StringIO(), io.StringIO())
        download(here, reporter)
        assert sha256_tree(here.embedding_folder / "marks") == sha256_tree(there.embedding_folder / "marks")
        assert (here.groundtruth_folder / "marks" / "test" / "x.png").read_text() == "picture"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"task": "logo", "sources": "sklearn:digits"}, "it has no ids|does not list one draw"),
        ({"task": "logoo", "sources": "sklearn:digits", "draws": [0]}, "did you mean logo"),
        ({"task": "logo", "ids": ["absent"]}, "absent/train.parquet: there is no such file"),
    ],
)
def test_blocks_that_cannot_be_made_say_why(tmp_path, block, message):
    place = write_workspace(tmp_path / "w", datasets={"made": block})
    with pytest.raises(Exception, match=message):
        download(place, Reporter(io.StringIO(), io.StringIO()))


def test_draws_name_the_data_ids(tmp_path):
    block = {"task": "logo", "draws": [2, 5]}
    place = write_workspace(tmp_path / "w", datasets={"made": block})
    assert load_parameters(place.parameters_file).datasets["made"].data_ids("made") == ("made-2", "made-5")
