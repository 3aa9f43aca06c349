"""Votes in a file of their own, one line per row and annotator."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evaluation.cli import main
from evaluation.labels.forms import spooled, tables
from evaluation.labels.opened import open_review
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import NAMES, Rows, ranking, run

ROWS = Rows(60)
IDS = [f"row-{row:02d}" for row in range(60)]
PEOPLE = ["ann", "bob", "=e\u202eve"]


def _votes():
    """Nobody has voted on row 5."""
    rng = np.random.default_rng(1)
    truth = np.array([NAMES.index(name) for name in ROWS.truth])
    votes = np.stack([np.where(rng.random(60) < rate, (truth + 1) % 3, truth) for rate in (0.05, 0.2, 0.4)], axis=1)
    votes[rng.random(votes.shape) < 0.2] = -1
    votes[5] = -1
    return votes


VOTES = _votes()
WIDE = pd.DataFrame(np.array([*NAMES, ""], dtype=object)[VOTES], columns=PEOPLE)


def long(ids=IDS, column="id", label="label", who="annotator"):
    """One line per vote, in an order of its own, and a line without a label, as skipped tasks leave them."""
    lines = [(ids[row], PEOPLE[one], NAMES[VOTES[row, one]]) for row, one in np.argwhere(VOTES >= 0)]
    shuffled = [lines[place] for place in np.random.default_rng(0).permutation(len(lines))]
    return pd.DataFrame([*shuffled, (ids[3], "zoe", "")], columns=[column, who, label])


def written(at, form):
    """A source without labels, and the votes beside it."""
    features = ROWS.frame().drop(columns="label")
    if form == "npz":
        np.savez(at / "t.npz", X=ROWS.X, ids=np.array(IDS))
    elif form == "npy":
        np.save(at / "t.npy", ROWS.X)
    elif form == "csv":
        features.assign(id=IDS).to_csv(at / "t.csv", index=False)
    else:
        features.assign(id=IDS).to_parquet(at / "t.parquet", index=False)
    long(ids=list(range(60)) if form == "npy" else IDS).assign(lead_time=1.5, given_label="cat").to_csv(
        at / "votes.csv", index=False
    )
    return at / f"t.{form}"


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """The same votes in columns, ranked."""
    at = tmp_path_factory.mktemp("wide")
    ROWS.frame(id=IDS).drop(columns="label").join(WIDE).to_csv(at / "t.csv", index=False)
    listed = ",".join(PEOPLE)
    assert main(["rank", str(at / "t.csv"), f"--label-column={listed}", "--features=e*"]) == 0
    return at / "t_review"


@pytest.mark.parametrize("form", ["csv", "parquet", "npz", "npy"])
def test_every_form_is_ranked_as_with_the_votes_in_columns(form, wide, tmp_path, capsys):
    source = written(tmp_path, form)
    status, out, err = run(capsys, "rank", source, f"--labels={tmp_path / 'votes.csv'}")
    assert status == 0
    assert err.startswith("warning: a spreadsheet takes '=e\\u202eve' for a formula")
    assert (
        "votes of 3 annotators from `votes.csv`, 3 names (3 rows have none); the given label is what most said" in out
    )
    found, same = (ranking(one).drop(columns="ask_next") for one in (tmp_path / "t_review", wide))
    if form == "npy":  # rows are taken in the order of their ids, so the last digits differ
        names = ["row", "given_label", "votes_for", "votes_against"]
        found, same = (one[names].sort_values("row", ignore_index=True) for one in (found, same))
    assert found.equals(same)
    people, others = (pd.read_csv(one / "annotators.csv") for one in (tmp_path / "t_review", wide))
    assert people["annotator"].tolist() == ["=e\\u202eve", "ann", "bob"]
    both = people.merge(others, on="annotator", suffixes=("", "_wide"))
    assert both["quality"].to_numpy() == pytest.approx(both["quality_wide"].to_numpy(), abs=1e-5)

    review = open_review(tmp_path / "t_review")
    given = [None if code < 0 else review.source.classes[code] for code in review.source.labels]
    other = next(name for name in NAMES if name != given[3])
    decide(tmp_path / "t_review", {3: f"={other}", 5: "=cat", 7: "drop", 8: "keep"})
    assert run(capsys, "apply", tmp_path / "t_review", f"--output={tmp_path / 'clean'}")[0] == 0
    kept = [row for row in range(60) if row != 7]
    after = [{3: other, 5: "cat"}.get(row, given[row]) for row in kept]
    table = pd.read_csv(tmp_path / "clean" / "labels.csv", dtype=str, keep_default_na=False)
    assert table["id"].tolist() == [review.source.ids[row] for row in kept]
    assert table["label"].tolist() == [name or "" for name in after]
    assert table["label_before_review"].tolist() == [given[row] or "" for row in kept]
    if form != "npy":  # the ids of an npy are row numbers, and a row is gone
        again = [tmp_path / "clean" / source.name, f"--labels={tmp_path / 'clean' / 'labels.csv'}"]
        assert run(capsys, "rank", *again)[0] == 0
        assert len(ranking(tmp_path / "clean" / "t_review")) == 59


def test_pictures_of_a_flat_folder(tmp_path, capsys):
    folder, rng = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    names = [f"{row}.png" for row in range(13)]
    for name in names:
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(folder / name)
    lines = [(name, who, NAMES[row % 3]) for row, name in enumerate(names[:12]) for who in ("ann", "bob")]
    pd.DataFrame(lines, columns=["image", "worker_id", "class"]).to_csv(folder / "votes.csv", index=False)
    status, out, _ = run(capsys, "rank", folder, "--encoder=classical")
    assert status == 0
    assert "votes of 2 annotators from `class`, 3 names" in out
    assert "1 file without a row in votes.csv" in out
    decide(tmp_path / "photos_review", {0: "=dog", 4: "drop"})
    assert run(capsys, "apply", tmp_path / "photos_review", f"--output={tmp_path / 'clean'}")[0] == 0
    table = pd.read_csv(tmp_path / "clean" / "labels.csv")
    assert table["path"].tolist() == [name for name in names[:12] if name != "4.png"]
    assert table["label"][0] == "dog"
    assert not (tmp_path / "clean" / "4.png").exists()
    assert run(capsys, "rank", tmp_path / "clean", "--encoder=classical")[0] == 0
    shutil.rmtree(tmp_path / "clean")
    status, _, err = run(capsys, "apply", tmp_path / "photos_review", f"--output={tmp_path / 'clean.csv'}")
    assert (status, "the output must be a folder" in err) == (1, True)


BARE = long()
REFUSED = {
    "an id that no row has": (
        BARE.replace({"id": "row-09"}, "row-99"),
        [],
        "line 33 (row 31), column id: no row has the id 'row-99'",
    ),
    "a missing id": (BARE.replace({"id": "row-09"}, ""), [], "line 33 (row 31), column id: there is no id"),
    "nobody": (BARE.replace({"annotator": "bob"}, ""), [], ": nobody is named. Fix: say whose label it is"),
    "two votes of one annotator": (
        pd.concat([BARE, BARE.iloc[[4]].assign(label="eel")]),
        [],
        ": ann labels row row-57 twice, as 'cat' and 'eel'. Fix: keep one of the lines",
    ),
    "labels of two types": (
        BARE.assign(label=[1.5, *BARE["label"][1:]]),
        ["--label-column=lable"],
        "no column 'lable'",
    ),
    "two columns of annotators": (BARE.assign(worker_id=1), [], "the annotators may be in annotator or worker_id"),
    "another column": (BARE, ["--annotator-column=who"], "there is no column of names or numbers 'who'"),
    "no ids": (BARE.drop(columns="id"), [], "there is no column with the ids of the rows. Fix: name it: --id-column"),
    "no vote": (BARE.assign(label="", more="x"), ["--label-column=label"], "column label: there is no vote in it"),
    "a quantity": (BARE.assign(label=np.arange(len(BARE)) / 7), [], "line 3 (row 1), column label: 0.142857"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name, tmp_path, capsys):
    votes, options, message = REFUSED[name]
    source = written(tmp_path, "csv")
    votes.to_csv(tmp_path / "votes.csv", index=False)
    status, out, err = run(capsys, "rank", source, f"--labels={tmp_path / 'votes.csv'}", *options)
    assert (status, out) == (1, "")
    assert message in err
    assert "votes.csv" in err
    assert err.count("\n") == 1


def test_two_equal_votes_of_one_annotator_are_one(tmp_path, capsys):
    source = written(tmp_path, "csv")
    votes = pd.read_csv(tmp_path / "votes.csv")
    pd.concat([votes, votes.head(5)]).to_csv(tmp_path / "twice.csv", index=False)
    for name in ("votes", "twice"):
        assert run(capsys, "rank", source, f"--labels={tmp_path / name}.csv", f"--review={tmp_path / name}")[0] == 0
    assert ranking(tmp_path / "votes").equals(ranking(tmp_path / "twice"))


def test_an_annotator_column_needs_a_file_of_labels(tmp_path, capsys):
    status, _, err = run(capsys, "rank", written(tmp_path, "csv"), "--annotator-column=who")
    assert (status, "--annotator-column: there is no file of labels" in err) == (1, True)


@pytest.fixture
def in_parts(monkeypatch):
    """Tables are read in parts of a few rows, and votes are kept in a file."""
    monkeypatch.setattr(tables, "_BATCH", 7)
    monkeypatch.setattr(spooled, "_MOST_VOTES", 0)
    monkeypatch.setattr(spooled, "_BATCH", 11)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather"])
@pytest.mark.parametrize("shape", ["long", "wide"])
def test_many_votes_are_kept_in_a_file_and_say_the_same(suffix, shape, wide, in_parts, monkeypatch, tmp_path, capsys):
    frame, write = ROWS.frame(id=IDS).drop(columns="label"), {"csv": "to_csv", "parquet": "to_parquet"}
    source, lines = frame.join(WIDE) if shape == "wide" else frame, long()
    for name, table in (("t", source), ("votes", lines)):
        options = {} if suffix == "feather" else {"index": False}
        getattr(table, write.get(suffix, "to_feather"))(tmp_path / f"{name}.{suffix}", **options)
    asked = f"--label-column={','.join(PEOPLE)}" if shape == "wide" else f"--labels={tmp_path / 'votes'}.{suffix}"
    assert run(capsys, "rank", tmp_path / f"t.{suffix}", asked, "--features=e*")[0] == 0
    assert ranking(tmp_path / "t_review").equals(ranking(wide))
    kept = [np.load(path) for path in (tmp_path / "t_review").glob("votes_*.npy")]
    assert [(one.shape, one.dtype) for one in kept] == [((60, 3), np.int32)]
    order = [0, 1, 2] if shape == "wide" else [2, 0, 1]
    assert (kept[0] == VOTES[:, order]).all()
    for can_write in (True, False):
        monkeypatch.setattr("os.access", lambda *_, can=can_write: can)
        codes = open_review(tmp_path / "t_review").source.votes.codes
        assert (codes.tolist(), isinstance(codes, np.memmap)) == (kept[0].tolist(), can_write)


def test_votes_in_a_file_are_there_while_another_process_opens_the_review(in_parts, monkeypatch, tmp_path, capsys):
    ROWS.frame(id=IDS).drop(columns="label").join(WIDE).to_csv(tmp_path / "t.csv", index=False)
    asked = (tmp_path / "t.csv", f"--label-column={','.join(PEOPLE)}", "--features=e*")
    assert run(capsys, "rank", *asked)[0] == 0
    (kept,) = (tmp_path / "t_review").glob("votes_*.npy")
    older = kept.with_name(f"votes_{'0' * 16}.npy")
    older.write_bytes(b"")
    seen, header = [], spooled._header
    monkeypatch.setattr(
        spooled, "_header", lambda *a, **k: seen.append((kept.exists(), older.exists())) or header(*a, **k)
    )
    open_review(tmp_path / "t_review")
    assert seen == [(True, False)]
    assert run(capsys, "rank", *asked, f"--trusted={tmp_path / 'none.csv'}")[0] == 1
    assert kept.exists()


def test_votes_in_a_file_are_removed_if_what_is_read_after_them_is_refused(in_parts, tmp_path, capsys):
    ROWS.frame(id=IDS).drop(columns="label").join(WIDE).to_csv(tmp_path / "t.csv", index=False)
    asked = (tmp_path / "t.csv", f"--label-column={','.join(PEOPLE)}", "--features=e*")
    status, _, err = run(capsys, "rank", *asked, f"--trusted={tmp_path / 't.csv'}")
    assert (status, err.count("\n")) == (1, 1)
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.parametrize("name", REFUSED)
def test_refused_alike_if_read_in_parts(name, in_parts, tmp_path, capsys):
    test_refused_in_one_sentence(name, tmp_path, capsys)
    assert not list(tmp_path.rglob("votes_*.npy"))


@pytest.mark.parametrize("line", [5, len(BARE)])  # in the same part of the file as line 4, or in another
def test_the_first_vote_that_differs_is_named_wherever_the_other_is(line, in_parts, tmp_path, capsys):
    first = BARE.iloc[[4]]
    other = first.assign(label="eel")
    found = pd.concat([BARE.iloc[:line], other, first, BARE.iloc[line:], other])
    found.to_parquet(tmp_path / "votes.parquet", index=False)
    status, _, err = run(capsys, "rank", written(tmp_path, "csv"), f"--labels={tmp_path / 'votes.parquet'}")
    said = f"{first['annotator'].item()} labels row {first['id'].item()} twice, as '{first['label'].item()}' and 'eel'"
    assert status == 1
    assert f"column label, row {line}: {said}" in err


def test_as_many_annotators_as_votes_are_refused(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(spooled, "_TOO_MANY_VOTES", 6000)
    source = written(tmp_path, "csv")
    BARE.assign(annotator=np.arange(len(BARE))).to_csv(tmp_path / "votes.csv", index=False)
    status, _, err = run(capsys, "rank", source, f"--labels={tmp_path / 'votes.csv'}")
    assert status == 1
    assert "votes.csv: 128 annotators of 60 rows are more than can be looked at. Fix: name the column" in err
