"""What a program of the closed division finds, and what it may use."""

import pytest

from cleaning.errors import InvalidInput
from evaluation.contract.box import whole_problem
from evaluation.contract.loading import load_parameters
from evaluation.contract.registry import box_of, limits_of, tasks
from evaluation.contract.registry import task as task_named
from evaluation.settings.folders import Folders
from evaluation.settings.limits import Allowed
from tests.support import write_parameters


def test_a_task_without_a_box_shows_its_problem_and_nothing_hidden(tmp_path):
    folders = Folders.in_workspace(tmp_path)
    for name in ("embeddings/x/train/a.npy", "embeddings/x/.notes", "embeddings/x/secret.npy", "data/x/truth.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "embeddings/x/secret.npy").chmod(0o600)
    target = tmp_path / "box"
    target.mkdir()
    boxed = whole_problem(".csv")(folders, "x", target, None)
    shown = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    assert shown == ["secret.npy", "train/a.npy"]
    assert boxed.answer == "answer.csv"
    secret = target / "secret.npy"
    secret.chmod(0o644)  # as for the sandbox; ours must stay as it was
    assert (tmp_path / "embeddings/x/secret.npy").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InvalidInput, match="there is no such folder"):
        whole_problem(".csv")(folders, "y", target, None)


@pytest.mark.parametrize("name", tasks())
def test_every_task_has_a_box_and_limits(name, workspace):
    assert callable(box_of(task_named(name)))
    parameters = load_parameters(workspace / "parameters.yaml")
    assert limits_of(task_named(name), parameters).minutes == (23.0 if name == "zero_shot" else 10.0)


def test_the_settings_beat_the_task_and_the_task_beats_the_defaults(tmp_path):
    path = write_parameters(tmp_path, limits={"zero_shot": {"minutes": 5.0}, "logo": {"processors": 2}})
    parameters = load_parameters(path)
    assert limits_of(task_named("zero_shot"), parameters) == Allowed(minutes=5.0, memory_mb=8192, disk_mb=4096)
    assert limits_of(task_named("logo"), parameters) == Allowed(processors=2)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"zeroshot": {}}, "there is no such task, found 'zeroshot'; did you mean zero_shot"),
        ({"logo": {"memory": 1}}, "unknown key 'memory'; did you mean memory_mb"),
        ({"logo": {"minutes": 0.0}}, "greater than 0"),
    ],
)
def test_a_wrong_limit_is_an_error_that_names_it(limits, message, tmp_path):
    with pytest.raises(InvalidInput) as error:
        load_parameters(write_parameters(tmp_path, limits=limits))
    assert message in str(error.value).replace(". Fix: ", "; ")
