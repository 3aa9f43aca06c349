import fixfirst
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
        (
            {"y": np.arange(120) % 7},
            "5 numeric columns `e0` … `y`, standardised; ids from `id`, `y` taken for a feature\n",
        ),
        ({"y": ROWS.numbers}, "`y` left out, since it looks like another label (to use it: --features)\n"),
    ],
)
def test_numbers_called_y_are_no_labels_where_there_are_some_in_text(more, said, tmp_path, capsys):
    frame = ROWS.frame(id=IDS, **more)
    frame.to_csv(tmp_path / "t.csv", index=False)
    for options in ((), ("--label-column=label",)):
        status, out, _ = run(capsys, "rank", tmp_path / "t.csv", *options)
        assert (status, "labels from `label`, 3 names" in out, said in out) == (0, True, True)
    caveats = fixfirst.rank(frame, label="label").caveats
    assert any(one.sentence.startswith("`y` looks like another label") for one in caveats) == ("left out" in said)


def test_texts_are_judged_by_also_beside_numbers_called_y(tmp_path, capsys):
    texts = [f"{name} number {row}" for row, name in enumerate(ROWS.truth)]
    pd.DataFrame({"text": texts, "label": ROWS.names, "y": ROWS.numbers}).to_csv(tmp_path / "t.csv", index=False)
    for options in ((), ("--label-column=label",)):
        status, out, _ = run(capsys, "rank", tmp_path / "t.csv", *options)
        assert (status, "; texts from `text` by their letters" in out) == (0, True)


@pytest.mark.parametrize(
    ("more", "fix"),
    [
        ({"y": ROWS.numbers}, "name these, with --features"),
        ({"old": ROWS.names, "text": [f"text {row}" for row in range(120)]}, "texts: --text-column=text"),
    ],
)
def test_nothing_but_another_label_to_judge_by_is_refused(more, fix, tmp_path, capsys):
    pd.DataFrame({"label": ROWS.names, **more}).to_csv(tmp_path / "t.csv", index=False)
    status, _, err = run(capsys, "rank", tmp_path / "t.csv", "--label-column=label")
    assert status == 1
    assert f"there is nothing to judge the rows by, since `{next(iter(more))}` looks like another label. Fix: " in err
    assert fix in err


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
