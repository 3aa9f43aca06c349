"""Data that are too large for memory are ranked by blocks, and what comes out is the same."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from cleaning.belief.blocks import block, judge
from cleaning.labels import evidence
from evaluation.cli import main
from evaluation.labels import size
from evaluation.labels.forms import spooled, tables
from evaluation.labels.opened import open_review
from evaluation.labels.page.desk import Desk
from evaluation.labels.page.near import Nearness
from evaluation.labels.review_folder import read_description
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import NAMES, Rows


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "_MOST_BYTES", 10_000)
        patch.setattr(block, "FEWEST_ROWS", 50)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data that have been ranked, and what was printed."""
    folder = tmp_path_factory.mktemp("large")
    rows = Rows()
    np.save(folder / "X.npy", rows.X)
    np.save(folder / "y.npy", np.where(np.arange(len(rows.X)) < 3, "", rows.names))
    assert main(["rank", str(folder / "X.npy")]) == 0
    return folder


def table_of(folder):
    return pd.read_csv(folder / "X_review/ranking.csv", dtype=str, keep_default_na=False)


def test_the_table_is_that_of_any_ranking(folder):
    rows, table = Rows(), table_of(folder)
    assert sorted(map(int, table["row"])) == list(range(120))
    assert set(table["suggested_label"]) <= set(NAMES)
    suspicion = table["suspicion"][:-3].astype(float)
    assert suspicion.is_monotonic_decreasing
    wrong = rows.names != rows.truth
    first = table["row"][: int(wrong.sum())].astype(int)
    assert wrong[first].mean() > 0.7
    assert sorted(table["row"][-3:].astype(int)) == [0, 1, 2]
    assert (table["suspicion"][-3:] == "").all()
    assert (table["expected_gain"] == "").all()


def test_what_is_left_out_is_said(folder, capsys):
    written = json.loads((folder / "X_review/source.json").read_text())
    assert "near copies and outliers were not looked for" in written["caveats"][-1]
    assert written["count"]["low"] <= written["count"]["expected"] <= written["count"]["high"]
    assert main(["review", str(folder / "X_review"), "--batch=5"]) == 1
    assert "--batch: the data are ranked by blocks, so only `fixfirst rank`" in capsys.readouterr().err


def test_ranked_again_nothing_is_computed_again_and_decided_rows_are_at_the_end(folder, tmp_path, monkeypatch, capsys):
    def unwanted(*arguments):
        raise AssertionError("a pass runs again")

    folder = shutil.copytree(folder, tmp_path / "again")
    table = table_of(folder)
    first, second = table["row"][:2].astype(int)
    decide(folder / "X_review", {first: "=dog", second: "keep"})
    monkeypatch.setattr("cleaning.belief.blocks.work.finished_jobs", unwanted)
    assert main(["rank", str(folder / "X.npy")]) == 0
    again = table_of(folder)
    assert again["row"][:115].tolist() == table["row"][2:117].tolist()
    assert set(again["row"][118:]) == set(table["row"][:2])
    assert "looked at: 2, of which " in capsys.readouterr().out


def test_the_first_looks_come_first_and_count_wrong_labels(folder, tmp_path, capsys):
    folder = shutil.copytree(folder, tmp_path / "first")
    before = read_description(folder / "X_review")
    review = open_review(folder / "X_review")
    drawn = [review.rows[name] for name in before.first_looks]
    assert len(set(drawn)) == 30
    assert Desk(review, "ann", 1000, first_looks=True).round.order[:30].tolist() == drawn
    rows = Rows()
    decide(folder / "X_review", {row: f"={rows.truth[row]}" for row in drawn})
    assert main(["rank", str(folder / "X.npy")]) == 0
    assert "--first-looks" not in capsys.readouterr().out
    after = read_description(folder / "X_review")
    assert after.first_looks == before.first_looks
    wrong = sum(rows.names[row] != rows.truth[row] for row in range(3, len(rows.names)) if row not in drawn)
    assert after.count.low <= wrong <= after.count.high
    assert after.count.high - after.count.low < before.count.high - before.count.low


def test_work_on_other_labels_is_removed(folder, tmp_path):
    (tmp_path / "X.npy").write_bytes((folder / "X.npy").read_bytes())
    for names in (Rows().names, np.roll(Rows().names, 1)):
        np.save(tmp_path / "y.npy", names)
        assert main(["rank", str(tmp_path / "X.npy")]) == 0
    assert len(list((tmp_path / "X_review/blocks").iterdir())) == 1


def test_a_number_that_cannot_be_used_is_named(tmp_path, capsys):
    rows = Rows()
    rows.X[70, 1] = np.inf
    np.save(tmp_path / "X.npy", rows.X)
    np.save(tmp_path / "y.npy", rows.names)
    assert main(["rank", str(tmp_path / "X.npy")]) == 1
    assert "X.npy, row 70: NaN or infinite values. Fix: " in capsys.readouterr().err


def test_a_column_of_parquet_is_copied_in_parts_once(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(spooled, "_MOST_BYTES", 1000)
    monkeypatch.setattr(tables, "_BATCH", 50)
    rows = Rows()
    table = pd.DataFrame({"e": list(rows.X), "label": np.where(np.arange(120) < 3, None, rows.names)})
    table.to_parquet(tmp_path / "X.parquet", index=False, row_group_size=40)
    monkeypatch.setattr(tables.Table, "vectors", None)
    assert main(["rank", str(tmp_path / "X.parquet")]) == 0
    copied = tmp_path.glob("X_review/embeddings_*.npy")
    assert [np.load(path).tolist() for path in copied] == [rows.X.tolist()]
    assert table_of(tmp_path).equals(table_of(folder))
    for damaged in tmp_path.glob("X_review/embeddings_*.npy"):
        damaged.write_bytes(b"")
    assert open_review(tmp_path / "X_review").source.stored is not None
    monkeypatch.setattr(tables.Table, "vectors_by_parts", None)
    assert open_review(tmp_path / "X_review").source.stored is not None


@pytest.mark.parametrize("form", ["npy", "parquet"])
def test_numbers_far_from_0_stay_apart_and_those_too_large_are_named(form, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(spooled, "_MOST_BYTES", 1000)
    monkeypatch.chdir(tmp_path)
    rows = Rows()
    for name, matrix in (("X", rows.X.astype(float) + 1.7e9), ("near", rows.X - rows.X.mean(axis=0)), ("large", None)):
        matrix = np.where(np.arange(120)[:, None] == 70, 1e39, rows.X.astype(float)) if matrix is None else matrix
        names = np.where(np.arange(120) < 3, "", rows.names)
        if form == "npy":
            np.save(f"{name}.npy", matrix)
            np.save("y.npy", names)
        else:
            pd.DataFrame({"e": list(matrix), "label": names}).to_parquet(f"{name}.parquet", index=False)
        source = [f"{name}.{form}", *(["--labels=y.npy"] if form == "npy" else [])]
        assert main(["rank", *source]) == (name == "large")
    column = ", column e" if form == "parquet" else ""
    assert f"error: large.{form}{column}, row 70: values up to 1e+39, which are too large" in capsys.readouterr().err
    far, near = (pd.read_csv(f"{name}_review/ranking.csv", index_col="row")["suspicion"] for name in ("X", "near"))
    assert np.corrcoef(far.dropna(), near[far.dropna().index])[0, 1] > 0.98
    assert open_review(tmp_path / "X_review").source.stored is not None


def test_a_copy_keeps_apart_what_varies_only_after_its_first_part(tmp_path, monkeypatch):
    """Such as times, sorted; and the user's own files beside the copies stay."""
    monkeypatch.setattr(spooled, "_MOST_BYTES", 1000)
    monkeypatch.setattr(tables, "_BATCH", 50)
    rows = Rows()
    rows.X = np.where(np.arange(120)[:, None] < 50, 1.7e9, rows.X.astype(float) + 1.7e9)
    pd.DataFrame({"e": list(rows.X), "label": rows.names}).to_parquet(tmp_path / "X.parquet", index=False)
    review = tmp_path / "X_review"
    review.mkdir()
    own = [review / f"embeddings_{name}.npy" for name in ("clip", "a0_0123456789abcdef")]
    older = review / "embeddings_0123456789abcdef.npy"
    for path in (*own, older):
        path.write_bytes(b"mine")
    assert main(["rank", str(tmp_path / "X.parquet")]) == 0
    (copy,) = {*review.glob("embeddings_*.npy")} - {*own}
    assert np.load(copy).tolist() == rows.X.tolist()
    assert all(path.read_bytes() == b"mine" for path in own)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda rows: (1e4 * rows).round().astype(np.int32)])
def test_numbers_in_another_order_or_type_are_ranked_by_blocks_without_a_copy(change, folder, tmp_path, capsys):
    np.save(tmp_path / "X.npy", change(Rows().X))
    shutil.copy(folder / "y.npy", tmp_path)
    assert main(["rank", str(tmp_path / "X.npy")]) == 0
    assert "were ranked by blocks" in capsys.readouterr().err
    assert not list(tmp_path.glob("X_review/*.npy"))
    ours, theirs = (pd.to_numeric(table_of(one).set_index("id")["suspicion"]).dropna() for one in (tmp_path, folder))
    assert np.corrcoef(ours, theirs[ours.index])[0, 1] > 0.98


def test_scaled_columns_are_ranked_by_blocks(trusted, capsys):
    """As if the file held scaled columns; the trusted rows and the page use the same scale."""
    rows, stretch = Rows(), np.array([1, 100, 0.01, 1], dtype=np.float32)
    mean, deviation = ((getattr(rows.X * stretch + 5, what)(axis=0, dtype=np.float64)) for what in ("mean", "std"))
    tables = {}
    for name, change, options in (
        ("none", lambda part: ((part * stretch + 5 - mean) / deviation).astype(np.float32), []),
        ("scaled", lambda part: part * stretch + 5, ["--scaling=standard"]),
    ):
        for file, part in (("X", rows.X), ("t", rows.trusted_X)):
            np.save(trusted / f"{file}.npy", change(part))
        asked = ["rank", str(trusted / "X.npy"), f"--trusted={trusted / 't.npy'}", f"--review={trusted / name}"]
        assert main([*asked, *options]) == 0
        assert "were ranked by blocks" in capsys.readouterr().err
        tables[name] = pd.read_csv(trusted / name / "ranking.csv")["suspicion"].tolist()
        near = Nearness(open_review(trusted / name))
        tables[f"near {name}"] = [near.trusted(row, 1, {}) for row in range(20)]
    assert tables["none"] == tables["scaled"]
    assert tables["near none"] == tables["near scaled"]


def test_scaling_names_the_row_that_cannot_be_used(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evidence, "_BLOCK", 50)
    rows = Rows()
    rows.X[70, 1] = np.nan
    np.save(tmp_path / "X.npy", rows.X)
    np.save(tmp_path / "y.npy", rows.names)
    monkeypatch.chdir(tmp_path)
    for options in ([], ["--scaling=standard"]):
        assert main(["rank", "X.npy", *options]) == 1
        assert capsys.readouterr().err.startswith("error: X.npy, row 70: NaN or infinite values")


def test_a_ragged_column_of_parquet_is_refused_by_row(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(spooled, "_MOST_BYTES", 100)
    monkeypatch.setattr(tables, "_BATCH", 50)
    rows = Rows()
    for change, said in ((lambda row: row[:3], "row 100: 3 numbers where row 0 has 4"), (lambda _: None, "row 100")):
        lists = [list(row) if number < 100 else change(list(row)) for number, row in enumerate(rows.X)]
        pd.DataFrame({"e": lists, "label": rows.names}).to_parquet(tmp_path / "X.parquet", index=False)
        assert main(["rank", str(tmp_path / "X.parquet")]) == 1
        assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("X_review/*"))


def test_neither_a_cluster_nor_processes_are_used_for_what_fits_into_memory(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(judge, "_MOST_BYTES", 10_000_000)
    rows = Rows()
    np.save(tmp_path / "X.npy", rows.X)
    np.save(tmp_path / "y.npy", rows.names)
    asked = ["rank", str(tmp_path / "X.npy"), f"--output={tmp_path / 'list.csv'}"]
    assert main([*asked, "--cluster=tcp://127.0.0.1:9"]) == 0
    assert "--cluster has no effect" in capsys.readouterr().err
    assert main([*asked, "--jobs=2"]) == 0
    assert "--jobs has no effect: only pictures and large data are" in capsys.readouterr().err


@pytest.fixture
def trusted(tmp_path):
    """The path of rows with a file of trusted rows beside them."""
    rows = Rows()
    for name, features, names in (("X", rows.X, rows.names), ("t", rows.trusted_X, rows.trusted_names)):
        np.save(tmp_path / f"{name}.npy", features)
        np.save(tmp_path / f"{name}_labels.npy", names)
    return tmp_path


def test_trusted_rows_teach_by_blocks(trusted, monkeypatch, capsys):
    monkeypatch.setattr("cleaning.labels.advice._WIDE", 0)
    asked = ["rank", str(trusted / "X.npy"), f"--trusted={trusted / 't.npy'}"]
    assert main(asked) == 0
    captured = capsys.readouterr()
    assert "trusted: 60 rows" in captured.out
    assert "for a better number: --trusted" not in captured.out
    assert main(["review", str(trusted / "X_review"), "--first-looks"]) == 1
    assert "--first-looks: no rows were drawn for this ranking" in capsys.readouterr().err
    assert "were ranked by blocks" in captured.err
    written = json.loads((trusted / "X_review/source.json").read_text())
    assert written["trusted"]["path"] == "../t.npy"
    alone = trusted / "alone.csv"
    assert main([*asked[:2], f"--output={alone}"]) == 0
    assert "for a better number: --trusted=SOURCE with rows whose labels you have checked" in capsys.readouterr().out
    assert pd.read_csv(alone)["suspicion"].tolist() != table_of(trusted)["suspicion"].astype(float).tolist()
    review = open_review(trusted / "X_review")
    assert review.source.stored is not None
    assert len(review.trusted) == 60


def test_trusted_rows_of_another_width_are_refused_by_name(trusted, capsys):
    np.save(trusted / "t.npy", Rows().trusted_X[:, :-1])
    assert main(["rank", str(trusted / "X.npy"), f"--trusted={trusted / 't.npy'}"]) == 1
    told = capsys.readouterr().err
    assert "t.npy: its embeddings have 3 dimensions, those of" in told
    assert "X.npy have 4. Fix: embed both with the same encoder" in told


def test_other_trusted_labels_are_other_work(trusted):
    asked = ["rank", str(trusted / "X.npy"), f"--trusted={trusted / 't.npy'}"]
    assert main(asked) == 0
    before = [path.name for path in (trusted / "X_review/blocks").iterdir()]
    np.save(trusted / "t_labels.npy", np.roll(Rows().trusted_names, 1))
    assert main(asked) == 0
    assert [path.name for path in (trusted / "X_review/blocks").iterdir()] != before


def test_trusted_names_that_are_those_of_other_classes_are_named(trusted, capsys):
    turned = {"bird": "cat", "cat": "dog", "dog": "bird"}
    np.save(trusted / "t_labels.npy", np.array([turned[name] for name in Rows().trusted_names]))
    assert main(["rank", str(trusted / "X.npy"), f"--trusted={trusted / 't.npy'}"]) == 0
    assert "what the trusted rows call bird, the training rows call dog" in capsys.readouterr().err


def test_probabilities_in_an_npy_are_one_more_voice_by_blocks(trusted, capsys):
    own = np.eye(3)[np.searchsorted(NAMES, Rows().truth)] * 0.6 + 0.4 / 3
    np.save(trusted / "p.npy", own)
    asked = ["rank", str(trusted / "X.npy"), f"--trusted={trusted / 't.npy'}", f"--probabilities={trusted / 'p.npy'}"]
    assert main(asked) == 0
    captured = capsys.readouterr()
    assert "probabilities from p.npy" in captured.out
    assert "were ranked by blocks" in captured.err
    wrong = Rows().names != Rows().truth
    first = table_of(trusted)["row"][: int(wrong.sum())].astype(int)
    assert wrong[first].mean() > 0.9
    review = open_review(trusted / "X_review")
    assert review.source.predicted is not None
    before = [path.name for path in (trusted / "X_review/blocks").iterdir()]
    np.save(trusted / "p.npy", own[:, ::-1].copy())
    assert main(asked) == 0
    assert [path.name for path in (trusted / "X_review/blocks").iterdir()] != before


def test_probabilities_that_are_of_no_use_are_refused(trusted, capsys):
    asked = ["rank", str(trusted / "X.npy"), f"--probabilities={trusted / 'p.npy'}"]
    for matrix, said in (
        (np.eye(3)[np.zeros(119, dtype=int)], "119 rows for 120 labels"),
        (np.full((120, 4), 0.25), "4 columns for 3 classes"),
        (np.eye(3, dtype=int)[np.zeros(120, dtype=int)], "save a matrix of floats"),
        (np.full((120, 3), 0.5), "row 0: the row sums to 1.5"),
    ):
        np.save(trusted / "p.npy", matrix)
        assert main(asked) == 1
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather"])
def test_probabilities_in_a_table_are_those_in_an_npy(suffix, trusted, monkeypatch, capsys):
    monkeypatch.setattr(tables, "_BATCH", 50)
    own = np.random.default_rng(0).dirichlet(np.ones(3), 120).astype(np.float32)
    own += 2 * np.eye(3, dtype=np.float32)[np.searchsorted(NAMES, Rows().truth)]
    own /= own.sum(axis=1, keepdims=True)
    np.save(trusted / "p.npy", own)
    path = trusted / f"p.{suffix}"
    frame = pd.DataFrame(own, columns=NAMES)[list(NAMES[::-1])]
    {"csv": frame.to_csv, "parquet": frame.to_parquet, "feather": frame.to_feather}[suffix](
        path, **({"index": False} if suffix != "feather" else {})
    )
    monkeypatch.setattr(tables.Table, "numbers", None)
    asked = ["rank", str(trusted / "X.npy")]
    for name, review in (("p.npy", "one"), (path.name, "two")):
        assert main([*asked, f"--probabilities={trusted / name}", f"--review={trusted / review}"]) == 0
        assert "were ranked by blocks" in capsys.readouterr().err
    assert (trusted / "two/ranking.csv").read_text() == (trusted / "one/ranking.csv").read_text()
    assert [np.load(copy).shape for copy in (trusted / "two").glob("probabilities_*.npy")] == [(120, 3)]
    monkeypatch.setattr(tables._ArrowTable, "numbers_by_parts", None)
    monkeypatch.setattr(tables._CsvTable, "numbers_by_parts", None)
    assert open_review(trusted / "two").source.predicted.shape == (120, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"ant,bird\n.5,.5\n", "there is no column for the class 'cat'"),
        (b"bird,cat,dog\n.5,.5,0\n", "1 row for 120 labels"),
        (
            b"bird,cat,dog\n" + b".5,.5,0\n" * 119 + b".5,.5,x\n",
            "p.csv, line 121 … column dog … 'x' where the rows above have numbers",
        ),
        (b"bird,cat,dog\n" + b".5,.5,0\n" * 119 + b"2,3,4\n", "p.csv, row 119: the row sums to 9, not to 1"),
        (b"bird,cat,dog\n" + b".5,.5,0\n" * 119 + b"1,,0\n", "p.csv, row 119: NaN or infinite values"),
        (b"bird,cat,dog\n" + b".5,.5,0\n" * 119 + b"-1,1,1\n", "p.csv, row 119: -1 is not a probability"),
    ],
)
def test_a_table_of_probabilities_that_is_of_no_use_is_refused_as_in_memory(
    content, said, trusted, monkeypatch, capsys
):
    (trusted / "p.csv").write_bytes(content)
    told = []
    for most in (10_000, 10_000_000):
        monkeypatch.setattr(judge, "_MOST_BYTES", most)
        assert main(["rank", str(trusted / "X.npy"), f"--probabilities={trusted / 'p.csv'}"]) == 1
        told.append(capsys.readouterr().err)
    assert all(part in told[0] for part in said.split(" … "))
    assert told[0].partition(". Fix")[0] in told[1]


def test_another_table_of_probabilities_takes_the_place_of_its_copy(trusted):
    for turn in range(2):
        own = np.eye(3)[np.searchsorted(NAMES, np.roll(Rows().truth, turn))] * 0.6 + 0.4 / 3
        pd.DataFrame(own, columns=NAMES).to_csv(trusted / "p.csv", index=False)
        assert main(["rank", str(trusted / "X.npy"), f"--probabilities={trusted / 'p.csv'}"]) == 0
        copied = [np.load(path) for path in (trusted / "X_review").glob("probabilities_*.npy")]
        assert len(copied) == 1
        assert copied[0] == pytest.approx(own)


def test_without_a_review_a_table_of_probabilities_is_held_in_memory_and_that_is_said(trusted, capsys):
    own = np.eye(3)[np.searchsorted(NAMES, Rows().truth)] * 0.6 + 0.4 / 3
    pd.DataFrame(own, columns=NAMES).to_csv(trusted / "p.csv", index=False)
    asked = ["rank", str(trusted / "X.npy"), f"--probabilities={trusted / 'p.csv'}"]
    assert main([*asked, f"--output={trusted / 'list.csv'}"]) == 0
    assert "use vectors in an npy; without --output, vectors in parquet and a table" in capsys.readouterr().err


@pytest.fixture(scope="module")
def said():
    """What three annotators said; they are wrong in 5, 30 and 50% of their votes, nobody has voted on row 5."""
    rng, truth = np.random.default_rng(1), np.searchsorted(NAMES, Rows().truth)
    wrong = rng.random((120, 3)) < np.array([0.05, 0.3, 0.5])
    votes = np.where(wrong, (truth[:, None] + rng.integers(1, 3, (120, 3))) % 3, truth[:, None])
    votes[rng.random(votes.shape) < 0.25] = -1
    votes[5], votes[6] = -1, [0, 1, -1]
    return pd.DataFrame(np.array([*NAMES, None], dtype=object)[votes], columns=["ann", "bob", "eve"])


@pytest.fixture(scope="module")
def voted(said, tmp_path_factory):
    """A folder with rows that several annotators labelled, in a file of their own, after they have been ranked."""
    at = tmp_path_factory.mktemp("voted")
    np.save(at / "X.npy", Rows().X)
    lines = said.rename_axis("id").reset_index().melt("id", var_name="annotator", value_name="label").dropna()
    lines.to_csv(at / "votes.csv", index=False)
    assert main(["rank", str(at / "X.npy"), f"--labels={at / 'votes.csv'}"]) == 0
    return at


def test_votes_are_judged_by_blocks(voted, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(spooled, "_MOST_BYTES", 1000)
    said.assign(e=list(Rows().X)).to_parquet(tmp_path / "X.parquet", index=False)
    assert main(["rank", str(tmp_path / "X.parquet"), "--label-column=ann,bob,eve"]) == 0
    captured = capsys.readouterr()
    assert "were ranked by blocks" in captured.err
    assert "right votes, estimated: ann" in captured.out
    table = table_of(voted)
    assert table_of(tmp_path).equals(table)
    assert (tmp_path / "X_review/annotators.csv").read_text() == (voted / "X_review/annotators.csv").read_text()
    people = pd.read_csv(voted / "X_review/annotators.csv", index_col="annotator")
    assert people["quality"].is_monotonic_decreasing
    assert (people["bits_per_missing_vote"] > 0).all()
    by_row = table.set_index(table["row"].astype(int))
    assert by_row.loc[5, "given_label"] == ""
    assert set(by_row["ask_next"]) <= {"ann", "bob", "eve", ""}
    assert by_row.loc[6, "ask_next"] == "eve"
    open_votes = said.notna().all(axis=1)
    assert (by_row.loc[open_votes[open_votes].index, "ask_next"] == "").all()
    wrong = by_row["given_label"].sort_index().to_numpy() != Rows().truth
    first = by_row.index[: int(wrong.sum()) - 1]
    assert wrong[first].mean() > 0.6


def test_decisions_about_rows_with_votes_count_by_blocks(voted, tmp_path, capsys):
    folder = shutil.copytree(voted, tmp_path / "again")
    table = table_of(folder)
    first = table["row"][:5].astype(int).tolist()
    decide(folder / "X_review", {row: f"={Rows().truth[row]}" for row in first})
    assert main(["rank", str(folder / "X.npy"), f"--labels={folder / 'votes.csv'}"]) == 0
    assert "looked at: 5, of which " in capsys.readouterr().out
    again = table_of(folder)
    assert set(again["row"][115:].astype(int)) == set(first)
    before, after = (pd.read_csv(one / "X_review/annotators.csv")["quality"] for one in (voted, folder))
    assert (after != before).all()
    assert after.tolist() == pytest.approx(before.tolist(), abs=0.1)
    assert (again["ask_next"][114:] == "").all()
    assert Desk(open_review(folder / "X_review"), "ann", 1000).round.order[:20].tolist()


def test_other_votes_of_the_same_majority_are_other_work(voted, tmp_path):
    folder = shutil.copytree(voted, tmp_path / "other")
    lines = pd.read_csv(folder / "votes.csv")
    lines["annotator"] = lines["annotator"].map({"ann": "eve", "bob": "ann", "eve": "bob"})
    lines.to_csv(folder / "votes.csv", index=False)
    assert main(["rank", str(folder / "X.npy"), f"--labels={folder / 'votes.csv'}"]) == 0
    before, after = (pd.read_csv(one / "X_review/annotators.csv")["quality"] for one in (voted, folder))
    assert after.tolist() == pytest.approx(before[[1, 2, 0]].tolist(), abs=1e-3)
    assert len(list((folder / "X_review/blocks").iterdir())) == 1


def test_what_needs_more_memory_than_there_is_is_refused(trusted, monkeypatch, capsys):
    monkeypatch.setattr(size, "memory", lambda: 1000.0)
    votes = np.stack([Rows().numbers] * 2, axis=1)
    np.savez(trusted / "V.npz", X=Rows().X, y=votes)
    assert main(["rank", str(trusted / "V.npz"), "--label-column=y"]) == 1
    said = capsys.readouterr().err
    assert "V.npz: ranking it in memory needs about 0 GB, and this machine has 0 GB. Fix: to rank it by " in said
    assert not (trusted / "V_review").exists()


def test_another_column_of_a_file_is_not_taken_for_one_that_is_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(spooled, "_MOST_BYTES", 1000)
    rows, path = Rows(), tmp_path / "two.parquet"
    vectors = {"a": list(rows.X), "b": list(np.random.default_rng(0).permutation(rows.X))}
    pd.DataFrame({**vectors, "label": rows.names}).to_parquet(path)
    found = {}
    for column, review in (("a", "one"), ("b", "one"), ("b", "two")):
        assert main(["rank", str(path), f"--embedding-column={column}", f"--review={tmp_path / review}"]) == 0
        assert list(tmp_path.glob(f"{review}/blocks/*"))
        found[column, review] = (tmp_path / review / "ranking.csv").read_text()
    assert found["b", "one"] == found["b", "two"] != found["a", "one"]
