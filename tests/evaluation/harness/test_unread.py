import pytest

from evaluation.cli import main
from evaluation.contract import registry

QUIET = (".hidden", "README", "README.md", "example_good.seconds", "time_example_good.txt", "notes.md", "other_x.md")


@pytest.mark.parametrize("name", list(registry.tasks()))
def test_evaluate_names_the_files_nobody_reads_and_goes_on(name, tmp_path, capsys):
    place = tmp_path / name
    assert main(["example", name, f"--output={place}"]) == 0
    submissions = place / "submissions"
    for quiet in QUIET:
        (submissions / quiet).write_text("1\n")
    capsys.readouterr()
    assert main(["evaluate", f"--workspace={place}"]) == 0
    assert "warning" not in capsys.readouterr().err
    (submissions / "seed-7").mkdir()
    for odd in ("example_a.TXT", "example_b.json.gz", "example_c", "loose", "seed-7/example_d.tsv"):
        (submissions / odd).write_text("1\n")
    assert main(["evaluate", f"--workspace={place}"]) == 0
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no task reads these files (5 in all: example_a.TXT, example_b.json.gz, example_c" in err


def test_answers_to_a_task_that_is_left_out_are_no_oddity(tmp_path, capsys):
    assert main(["example", "logo", f"--output={tmp_path / 'a'}"]) == 0
    path = tmp_path / "a" / "parameters.yaml"
    path.write_text(path.read_text().replace("tasks:\n- logo", "tasks:\n- zero_shot"))
    main(["evaluate", f"--workspace={tmp_path / 'a'}"])
    assert "no task reads" not in capsys.readouterr().err
