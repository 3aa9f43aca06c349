import numpy as np
import pandas as pd
import pytest

from evaluation.cli import main
from evaluation.labels.review_folder import read_description, reopen
from tests.evaluation.labels.own_data import Rows, ranking, run

ROWS = Rows()
IDS = [f"r{row}" for row in range(120)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The order without any further column."""
    at = tmp_path_factory.mktemp("plain")
    ROWS.frame(id=IDS).to_csv(at / "t.csv", index=False)
    assert main(["rank", str(at / "t.csv")]) == 0
    return ranking(at / "t_review")["row"].tolist()


def test_another_label_is_left_out_and_said_and_stays_out(plain, tmp_path, capsys):
    ROWS.frame(id=IDS, label_old=ROWS.names, bob=ROWS.truth).to_csv(tmp_path / "t.csv", index=False)
    trusted = tmp_path / "trusted.csv"
    ROWS.frame(label_old="x").drop(columns="label").assign(label=ROWS.truth).tail(40).to_csv(trusted, index=False)
    status, out, err = run(capsys, "rank", tmp_path / "t.csv", "--label-column=label")
    assert (status, err) == (0, "")
    use = "(to use it: --features or --label-column=label,label_old,bob)"
    assert f"ids from `id`, `label_old`, `bob` left out, since they look like other labels {use}\n" in out
    assert ranking(tmp_path / "t_review")["row"].tolist() == plain
    assert reopen(tmp_path / "t_review")[0].features.shape == (120, 4)
    assert run(capsys, "rank", tmp_path / "t.csv", "--label-column=label", f"--trusted={trusted}")[0] == 0


def test_a_column_that_determines_the_labels_is_a_warning_beside_the_count(tmp_path, capsys):
    ROWS.frame(id=IDS, kind=ROWS.numbers * 7).to_csv(tmp_path / "t.csv", index=False)
    for options in ((), ("--features=e0,e1,e2,e3,kind",)):
        _, out, err = run(capsys, "rank", tmp_path / "t.csv", *options)
        assert "warning: `kind` looks like another label: it agrees with the given labels" in err
        assert ", unless `kind` is another label\n" in out
    assert "`kind` looks like another label" in read_description(tmp_path / "t_review").caveats[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"y": ROWS.X[:, 0]}, "5 numeric columns `e0` … `y`, standardised; ids from `id`, `y` taken for a feature\n"),
        ({"y": np.arange(120) % 7}, "`y` left out (named like labels too)\n"),
        ({"y": ROWS.numbers}, "`y` left out (named like labels too)\n"),
    ],
)
def test_numbers_called_y_are_no_labels_where_there_are_some_in_text(more, said, tmp_path, capsys):
    ROWS.frame(id=IDS, **more).to_csv(tmp_path / "t.csv", index=False)
    status, out, _ = run(capsys, "rank", tmp_path / "t.csv")
    assert (status, "labels from `label`, 3 names" in out, said in out) == (0, True, True)


def test_quantities_called_y_are_features_where_the_labels_are_in_another_file(tmp_path, capsys):
    ROWS.frame(id=IDS, y=ROWS.X[:, 0], target=ROWS.numbers).to_csv(tmp_path / "t.csv", index=False)
    ROWS.frame(id=IDS)[["id", "label"]].to_csv(tmp_path / "l.csv", index=False)
    status, out, _ = run(capsys, "rank", tmp_path / "t.csv", f"--labels={tmp_path / 'l.csv'}")
    assert status == 0
    assert "5 numeric columns `e0` … `y`" in out
    assert "`label`, `target` left out (named like labels), `y` taken for a feature\n" in out
    named = run(capsys, "rank", tmp_path / "t.csv", f"--labels={tmp_path / 'l.csv'}", "--features=e0,e1,target")[1]
    assert "3 numeric columns `e0` … `target`" in named
    assert "left out" not in named


def test_a_quantity_alone_is_named_as_one(tmp_path, capsys):
    ROWS.frame(y=ROWS.X[:, 0]).drop(columns="label").to_csv(tmp_path / "t.csv", index=False)
    err = run(capsys, "rank", tmp_path / "t.csv")[2]
    assert "column y: " in err
    assert "looks like a quantity, not like a class" in err


def test_a_table_with_nothing_but_another_label_is_refused(tmp_path, capsys):
    labels = np.resize(["cat", "dog", "bird"], 90)
    old = np.where(np.arange(90) % 10 == 0, "cat", labels)
    pd.DataFrame({"label": labels, "old": old}).to_csv(tmp_path / "t.csv", index=False)
    status, _, err = run(capsys, "rank", tmp_path / "t.csv", "--label-column=label")
    assert status != 0
    assert "could only be judged by `old`, which looks like another label" in err
