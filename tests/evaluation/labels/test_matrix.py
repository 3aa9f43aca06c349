"""What comes out of ordinary inputs: form × type of label × trouble. Each line of a table is one input."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from PIL import Image

from evaluation.labels.review_folder import reopen
from tests.evaluation.labels.own_data import NAMES, Rows, npz_of, ranking, run
from tests.support import ENCODER

ROWS = Rows(60)


def table(**changes):
    """The rows with some columns replaced; None: without that column."""
    frame = ROWS.frame(id=[f"row-{row:02d}" for row in range(60)])
    for name, values in changes.items():
        frame = frame.drop(columns=[name], errors="ignore") if values is None else frame.assign(**{name: values})
    return frame


def with_value(values, row, value):
    changed = list(values)
    changed[row] = value
    return changed


def csv(frame, name="t.csv", **how):
    return lambda at: (frame.to_csv(at / name, index=False, **how), at / name)[1]


def parquet(frame):
    return lambda at: (frame.to_parquet(at / "t.parquet", index=False), at / "t.parquet")[1]


def arrow(**columns):
    base = {f"e{place}": pa.array(ROWS.X[:, place]) for place in range(4)}
    return lambda at: (pq.write_table(pa.table({**base, **columns}), at / "t.parquet"), at / "t.parquet")[1]


def npz(**arrays):
    return lambda at: npz_of(at / "t.npz", **arrays)


def npy(matrix, labels=ROWS.names):
    def write(at):
        np.save(at / "X.npy", matrix)
        if labels is not None:
            np.save(at / "y.npy", labels)
        return at / "X.npy"

    return write


def text(content, name="t.csv"):
    return lambda at: ((at / name).write_bytes(content if isinstance(content, bytes) else content.encode()), at / name)[
        1
    ]


def pictures(*names, table=None, **tables):
    """Files of 8 × 8 pixels of a random colour; further text files by name."""

    def write(at):
        rng = np.random.default_rng(0)
        for name in names:
            place = at / "photos" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(place, format="PNG")
        for name, content in tables.items():
            (at / "photos" / f"{name}.csv").write_text(content)
        return at / "photos"

    return write


def png(seed):
    import io

    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(file, format="PNG")
    return file.getvalue()


STORED = pa.array([{"bytes": png(row % 7), "path": f"{row}.png"} for row in range(60)])
FLAT = [f"{row:02d}.png" for row in range(12)]
PATHS = "path,label\n" + "".join(f"{name},{NAMES[row % 3]}\n" for row, name in enumerate(FLAT))
SENTENCES = [f"{'goal match team' if row % 2 else 'vote party law'} {row}" for row in range(60)]
HALF = with_value(ROWS.names, 7, None)
VOTES = np.stack([np.where(np.arange(60) % 7 == one, (ROWS.numbers + 1) % 3, ROWS.numbers) for one in range(3)], axis=1)
VOTES[np.arange(60) % 5 == 0, 1] = -1
VOTES[8] = -1
NAMED = np.array([*NAMES, ""], dtype=object)[VOTES]
PEOPLE = {"ann": NAMED[:, 0], "bob, jr.": NAMED[:, 1], "<i>é</i>": NAMED[:, 2]}
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(days=row) for row in range(60)]

# name: (input, options, said, the first labels of the classes in order)
ACCEPTED = {
    # types of labels
    "csv, text": (csv(table()), [], "labels from `label`, 3 names", "bird cat dog"),
    "csv, numbers": (csv(table(label=ROWS.numbers + 8)), [], "3 names", "8 9 10"),
    "csv, leading zeros": (csv(table(label=[f"{n:03d}" for n in ROWS.numbers])), [], "3 names", "000 001 002"),
    "csv, true and false": (csv(table(label=ROWS.numbers == 1)), [], "2 names", "False True"),
    "csv, names that look missing": (
        csv(table(label=np.array(["NA", "None", "nan"])[ROWS.numbers])),
        [],
        "3 names",
        "NA nan None",
    ),
    "csv, whole floats": (csv(table(label=ROWS.numbers.astype(float))), [], "3 names", "0.0 1.0 2.0"),
    "csv, unlabelled": (csv(table(label=HALF)), [], "3 names (1 row has none)", "bird cat dog"),
    "csv, names with commas and quotes": (
        csv(table(label=np.array(['a,"b"', "c\nd", "é"])[ROWS.numbers])),
        [],
        "3 names",
        None,
    ),
    "csv, numbers that are named like labels too": (
        csv(table(y=ROWS.numbers)),
        [],
        "labels from `label`, 3 names; 4 numeric columns `e0` … `e3`, as they are; ids from `id`, `y` left out, since",
        "bird cat dog",
    ),
    "parquet, categories": (parquet(table(label=pd.Categorical(ROWS.names))), [], "3 names", "bird cat dog"),
    "parquet, booleans": (parquet(table(label=ROWS.numbers == 1)), [], "2 names", "False True"),
    "parquet, negative": (parquet(table(label=ROWS.numbers * 2 - 2)), [], "3 names", "-2 0 2"),
    "parquet, whole floats and NaN": (
        parquet(table(label=with_value(ROWS.numbers, 3, np.nan))),
        [],
        "3 names (1 row has",
        "0 1 2",
    ),
    "parquet, unsigned": (
        parquet(table(label=ROWS.numbers.astype(np.uint64) + np.uint64(2**64 - 3))),
        [],
        "3 names",
        f"{2**64 - 3}",
    ),
    "parquet, far numbers": (parquet(table(label=ROWS.numbers * 2**61)), [], "3 names", f"0 {2**61} {2**62}"),
    "parquet, decimals": (parquet(table(label=[Decimal(int(n)) for n in ROWS.numbers])), [], "3 names", "0 1 2"),
    "parquet, nullable integers": (
        parquet(table(label=pd.array(with_value(ROWS.numbers.tolist(), 5, None), dtype="Int64"))),
        [],
        "(1 row has",
        "0 1 2",
    ),
    "npz, bytes": (npz(X=ROWS.X, y=ROWS.names.astype("S")), [], "3 names", "bird cat dog"),
    "npz, column of labels": (npz(X=ROWS.X, y=ROWS.numbers[:, None]), [], "3 names", "0 1 2"),
    "npz, int8": (npz(x_train=ROWS.X, y_train=ROWS.numbers.astype(np.int8)), [], "3 names", "0 1 2"),
    "npz, float16": (npz(X=ROWS.X.astype(np.float16), y=ROWS.names), [], "3 names", "bird cat dog"),
    "npz, named arrays": (
        npz(a=ROWS.X, b=ROWS.names),
        ["--embedding-column=a", "--label-column=b"],
        "features from `a`",
        "bird cat dog",
    ),
    "npz, ids": (
        npz(X=ROWS.X, y=ROWS.names, ids=np.array([f"i{row}" for row in range(60)])),
        [],
        "ids from `ids`",
        "bird cat dog",
    ),
    "npy of integers": (npy((ROWS.X * 100).astype(np.int32)), [], "labels from y.npy, 3 names", "bird cat dog"),
    "quantity that is meant": (csv(table(label=np.round(ROWS.X[:, 0], 0) / 2)), ["--classes"], "names", None),
    # columns
    "id column of numbers": (csv(table(id=range(100, 160))), [], "ids from `id`", "bird cat dog"),
    "id column that repeats": (
        csv(table(id=[row // 2 for row in range(60)])),
        [],
        "ids are row numbers, since `id` repeats",
        "bird cat dog",
    ),
    "ids that are not wanted": (csv(table(id=[row // 2 for row in range(60)])), ["--number-rows"], "ids are row", None),
    "a first column without a name": (
        lambda at: (table(id=None).set_index(table()["id"]).to_csv(at / "t.csv", index_label=""), at / "t.csv")[1],
        [],
        "ids from the column without a name",
        "bird cat dog",
    ),
    "pandas index": (csv(table(id=None), index_label=""), [], "3 names", "bird cat dog"),
    "the same index twice": (
        lambda at: (table(id=None).reset_index().to_csv(at / "t.csv"), at / "t.csv")[1],
        [],
        "ids from the column without a name",
        "bird cat dog",
    ),
    "a comma at the end of each line": (
        lambda at: text("\n".join(f"{line}," for line in table(id=None).to_csv(index=False).splitlines()))(at),
        [],
        "ids are row numbers",
        "bird cat dog",
    ),
    "vertical bars": (csv(table(), sep="|"), [], "4 numeric columns", "bird cat dog"),
    "features by pattern": (
        csv(table(note=SENTENCES)),
        ["--features=e*"],
        "4 numeric columns `e0` … `e3`, as they are",
        "bird cat dog",
    ),
    "features by name": (
        csv(table(day=DAYS)),
        ["--features=e0,e2"],
        "2 numeric columns `e0` … `e2`, standardised",
        "bird cat dog",
    ),
    "texts": (
        csv(table(e0=None, e1=None, e2=None, e3=None, text=SENTENCES)),
        [],
        "texts from `text` by their letters (weak",
        "bird cat dog",
    ),
    "texts by option": (csv(table(text=SENTENCES)), ["--text-column=text"], "texts from `text`", "bird cat dog"),
    "semicolons with decimal commas": (csv(table(), sep=";", decimal=","), [], "4 numeric columns", "bird cat dog"),
    "byte-order mark": (csv(table(), encoding="utf-8-sig"), [], "4 numeric columns", "bird cat dog"),
    "lists written in csv": (
        csv(table(e0=None, e1=None, e2=None, e3=None, v=[str(row.tolist()) for row in ROWS.X])),
        [],
        "embeddings from `v`, 4 numbers each",
        "bird cat dog",
    ),
    "arrays written in csv": (
        csv(table(e0=None, e1=None, e2=None, e3=None, v=[str(row) for row in ROWS.X])),
        [],
        "embeddings from `v`, 4 numbers each",
        "bird cat dog",
    ),
    # pictures
    "class folders": (
        pictures("cat/a.png", "cat/b.png", "dog/a.png", "dog/sub/b.png"),
        [],
        "labels from the folder names, 2 names",
        "cat dog",
    ),
    "flat folder with its table": (
        pictures(*FLAT, labels=PATHS),
        [],
        f"pictures from `path`, embedded by {ENCODER}",
        "bird cat dog",
    ),
    "Hugging Face pictures": (
        lambda at: arrow(image=STORED, label=pa.array(ROWS.names))(at),
        ["--image-column=image"],
        "pictures from `image`",
        "bird cat dog",
    ),
    "numbers beside pictures": (
        lambda at: arrow(image=STORED, label=pa.array(ROWS.names))(at),
        ["--features=e*"],
        "4 numeric columns",
        "bird cat dog",
    ),
    "integers as vectors": (
        lambda at: (
            pq.write_table(
                pa.table({"v": [[1, row] for row in range(60)], "label": pa.array(ROWS.names)}), at / "t.parquet"
            ),
            at / "t.parquet",
        )[1],
        [],
        "embeddings from `v`, 2 numbers each",
        "bird cat dog",
    ),
    "halves as vectors": (
        lambda at: (
            pq.write_table(
                pa.table(
                    {
                        "v": pa.FixedSizeListArray.from_arrays(pa.array(ROWS.X.astype(np.float16).ravel()), 4),
                        "label": pa.array(ROWS.names),
                    }
                ),
                at / "t.parquet",
            ),
            at / "t.parquet",
        )[1],
        [],
        "embeddings from `v`, 4 numbers each",
        "bird cat dog",
    ),
    # several annotators
    "csv, votes": (
        csv(table(label=None, **PEOPLE)),
        ['--label-column=ann,"bob, jr.",<i>é</i>'],
        "votes of 3 annotators from `ann`, `bob, jr.`, `<i>é</i>`, 3 names (1 row has none); the given label is what",
        "bird cat dog",
    ),
    "csv, votes as floats and whole numbers": (
        csv(table(label=None, a=np.where(VOTES[:, 0] < 0, np.nan, VOTES[:, 0]), b=VOTES[:, 1])),
        ["--label-column=a,b"],
        "3 names (1 row has none), -1 is not a vote",
        "0 1 2",
    ),
    "csv, votes guessed": (
        csv(table(label=None, annotator_1=NAMED[:, 0], annotator_2=NAMED[:, 1])),
        [],
        "votes of 2 annotators from `annotator_1`, `annotator_2`",
        "bird cat dog",
    ),
    "csv, a label and votes about something else": (
        csv(table(vote_1=["y", "n"] * 30, vote_2=["n", "y", "y"] * 20)),
        [],
        "labels from `label`, 3 names; 4 numeric columns `e0` … `e3`, standardised; 2 categories, one-hot",
        "bird cat dog",
    ),
    "tsv, votes by the beginning of their names": (
        csv(table(label=None, **{f"by {name}": votes for name, votes in PEOPLE.items()}), "t.tsv", sep="\t"),
        ["--label-column=by *"],
        "votes of 3 annotators",
        "bird cat dog",
    ),
    "csv, a column whose name has commas": (
        csv(table(label=None, **{"a,b": ROWS.names})),
        ["--label-column=a,b"],
        "labels from `a,b`, 3 names",
        "bird cat dog",
    ),
    "parquet, votes as nullable integers": (
        parquet(table(label=None, a=pd.array(ROWS.numbers, "Int64"), b=pd.array([None, *ROWS.numbers[1:]], "Int64"))),
        ["--label-column=a,b"],
        "votes of 2 annotators from `a`, `b`, 3 names; the given label",
        "0 1 2",
    ),
    "parquet, votes as categories": (
        parquet(
            table(
                label=None,
                a=pd.Categorical(ROWS.names),
                b=pd.Categorical(np.where(NAMED[:, 1] == "", None, NAMED[:, 1])),
            )
        ),
        ["--label-column=a,b"],
        "votes of 2 annotators",
        "bird cat dog",
    ),
    "feather, votes": (
        lambda at: (table(label=None, **PEOPLE).to_feather(at / "t.feather"), at / "t.feather")[1],
        ['--label-column=ann,"bob, jr."'],
        "votes of 2 annotators",
        "bird cat dog",
    ),
    "npz, votes": (
        npz(X=ROWS.X, y=VOTES, annotators=np.array(list(PEOPLE))),
        [],
        "votes of 3 annotators from `y`, 3 names (1 row has none), -1 is not a vote",
        "0 1 2",
    ),
    "npz, votes as text": (npz(X=ROWS.X, y=NAMED.astype(str)), [], "votes of 3 annotators from `y`", "bird cat dog"),
    "npz, votes as floats": (
        npz(X=ROWS.X, y=np.where(VOTES < 0, np.nan, VOTES)),
        [],
        "3 names (1 row has none); the given label",
        "0 1 2",
    ),
    "npz, votes with class names": (
        npz(X=ROWS.X, y=VOTES, classes=np.array(NAMES)),
        [],
        "votes of 3 annotators",
        "bird cat dog",
    ),
    "npz, votes of zeros and ones, named": (
        npz(X=ROWS.X, y=(VOTES >= 1).astype(int)),
        ["--label-column=y"],
        "votes of 3 annotators from `y`, 2 names",
        "0 1",
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_people_have_is_read_and_said(name, tmp_path, capsys):
    make, options, said, classes = ACCEPTED[name]
    path = make(tmp_path)
    status, out, err = run(capsys, "rank", path, *options)
    assert (status, err if status else "") == (0, "")
    assert said in out.splitlines()[0]
    source, _ = reopen(tmp_path / f"{path.stem}_review")
    assert out.startswith(source.said)
    found = ranking(tmp_path / f"{path.stem}_review")
    assert set(found["id"]) == set(source.ids)
    if classes is not None:
        import json

        given = json.loads((tmp_path / f"{path.stem}_review" / "source.json").read_text())["classes"]
        assert " ".join(given).startswith(classes)
        assert set(found["given_label"]) - {""} <= set(given)
        assert set(found["suggested_label"]) <= set(given)


# name: (input, options, the error)
REFUSED = {
    # labels
    "a quantity": (
        csv(table(label=ROWS.X[:, 0])),
        [],
        "looks like a quantity, not like a class. Fix: name another column, or pass --classes",
    ),
    "whole numbers that are a quantity": (
        parquet(table(label=range(60))),
        [],
        "column label: every label is different, in 60 rows; this looks like a quantity or an id",
    ),
    "a label that is an id": (
        csv(table(label=[f"n{row}" for row in range(60)])),
        [],
        "this looks like an id or free text",
    ),
    "mixed types": (
        npz(X=ROWS.X, y=np.array(with_value(ROWS.names, 3, 4), dtype=object)),
        [],
        "pickled objects, which are never loaded",
    ),
    "a date as label": (
        arrow(label=pa.array(DAYS)),
        ["--label-column=label"],
        "2020-01-01 is a date or a time, not a class",
    ),
    "lists as labels": (
        arrow(label=pa.array([["a", "b"]] * 60)),
        ["--label-column=label"],
        "row 0: there are several labels in a row. Fix: give one class per row",
    ),
    "infinity": (
        parquet(table(label=with_value(ROWS.numbers.astype(float), 3, np.inf))),
        [],
        "column label, row 3: inf is not a label",
    ),
    "names that differ in blanks": (
        csv(table(label=with_value(ROWS.names, 9, "cat "))),
        [],
        "'cat ' and 'cat' differ only in blanks or in their Unicode form",
    ),
    "no labels at all": (
        csv(table(label=None, id=None)),
        [],
        "there is no column of labels (columns: e0, e1, e2, e3). Fix: name it with --label-column",
    ),
    "two label columns": (
        csv(table(target=ROWS.names)),
        [],
        "the labels may be in label or target. Fix: say which: --label-column=NAME",
    ),
    "a label column that is not there": (
        csv(table()),
        ["--label-column=labl"],
        "there is no column 'labl' for --label-column. Fix: did you mean label?",
    ),
    "no row has a label": (csv(table(label=[None] * 60)), ["--label-column=label"], "no row has a label"),
    "one-hot labels": (
        npz(X=ROWS.X, y=np.eye(3)[ROWS.numbers]),
        [],
        "t.npz, y: the shape is (60, 3) and each row has a single 1. Fix: give one label per row: y.argmax(axis=1)",
    ),
    "indicators of several classes": (
        npz(X=ROWS.X, y=(VOTES >= 1).astype(int)),
        [],
        "t.npz, y: the shape is (60, 3) and all values are 0 or 1, so a row may have several classes. Fix: give one",
    ),
    # several annotators
    "votes or a label": (
        csv(table(rater_a=NAMED[:, 0], rater_b=NAMED[:, 1])),
        [],
        "the labels may be in label or in rater_a, rater_b. Fix: say which: --label-column=NAME for one, "
        "--label-column=rater_a,rater_b for several annotators",
    ),
    "votes or a category": (
        csv(table(label=None, kind=ROWS.names, rater_a=NAMED[:, 0], rater_b=NAMED[:, 1])),
        [],
        "the labels may be in kind or in rater_a, rater_b",
    ),
    "two groups of annotators": (
        csv(table(label=None, rater_a=NAMED[:, 0], rater_b=NAMED[:, 1], coder1=NAMED[:, 1], coder2=NAMED[:, 2])),
        [],
        "the labels may be in rater_a, rater_b or in coder1, coder2",
    ),
    "columns that look like annotators but may be something else": (
        csv(table(label=None, label_clean=NAMED[:, 0], label_noisy=NAMED[:, 1])),
        [],
        "the labels may be in label_clean or label_noisy. Fix: say which: --label-column=NAME.",
    ),
    "indicators of classes in columns": (
        csv(table(label=None, label_1=ROWS.numbers == 1, label_2=ROWS.numbers == 2)),
        [],
        "the labels may be in label_1 or label_2. Fix: say which: --label-column=NAME.",
    ),
    "an annotator who is not there": (
        csv(table(label=None, a=NAMED[:, 0], b=NAMED[:, 1])),
        ["--label-column=a,bb"],
        "there is no column 'bb' for --label-column",
    ),
    "an annotator named twice": (
        csv(table(label=None, a=NAMED[:, 0], b=NAMED[:, 1])),
        ["--label-column=a,b,a"],
        "column a: it is named twice for --label-column",
    ),
    "an annotator without a vote": (
        csv(table(label=None, a=NAMED[:, 0], b="")),
        ["--label-column=a,b"],
        "column b: there is no vote in it. Fix: leave it out",
    ),
    "votes of two types": (
        parquet(table(label=None, a=ROWS.numbers, b=NAMED[:, 1])),
        ["--label-column=a,b"],
        "column b, row 1: 'dog' is text, but 2 in row 0 is a number",
    ),
    "votes that are a quantity": (
        parquet(table(label=None, a=ROWS.numbers, b=with_value(ROWS.numbers, 4, 0.5))),
        ["--label-column=a,b"],
        "column b, row 4: 0.5 looks like a quantity",
    ),
    "votes of -1 and 1": (
        csv(table(label=None, a=np.where(ROWS.numbers == 1, 1, -1), b=1)),
        ["--label-column=a,b"],
        "column a: the votes are -1 and 1; -1 may be a class, or no vote",
    ),
    "votes in lists": (
        arrow(a=pa.array(ROWS.numbers), b=pa.array([[1, 2]] * 60)),
        ["--label-column=a,b"],
        "column b, row 0: there are several labels in a row",
    ),
    "votes for too few rows": (npz(X=ROWS.X, y=VOTES[:50]), [], "t.npz, y: 50 labels for 60 rows"),
    "votes in a file of labels": (
        npy(ROWS.X, VOTES),
        [],
        "y.npy: the shape is (60, 3). Fix: give one label per row",
    ),
    "fewer labels than rows": (npy(ROWS.X, ROWS.names[:-1]), [], "y.npy: 59 labels for 60 rows"),
    "labels nowhere": (
        npy(ROWS.X, None),
        [],
        "X.npy: there are no labels beside it. Fix: name the file: --labels=y.npy",
    ),
    # ids
    "a missing id": (
        csv(table(id=with_value(table()["id"], 4, None))),
        [],
        "line 6 (row 4), column id: there is no id",
    ),
    "a negative id": (
        csv(table(id=with_value(range(60), 4, -1))),
        [],
        "line 6 (row 4), column id: the id -1 is negative",
    ),
    "a repeated id by name": (
        csv(table(id=[row // 2 for row in range(60)])),
        ["--id-column=id"],
        "line 3 (row 1), column id: ids appear more than once (30 in all: 0, 1, 2",
    ),
    "two id columns": (csv(table(key=range(60))), [], "the ids may be in id or key"),
    # numbers
    "a missing number": (
        csv(table(e1=with_value(ROWS.X[:, 1], 8, np.nan))),
        [],
        "line 10 (row 8), column e1: there is no number. Fix: fill it in, or leave the column out",
    ),
    "text among numbers": (
        csv(table(e1=with_value(ROWS.X[:, 1], 8, "many"))),
        ["--features=e*"],
        "line 10 (row 8), column e1: 'many' where most rows have numbers (1 in all: 8)",
    ),
    "thousands separators": (
        csv(table(e1=[f"{1000 + 7 * row:,}" for row in range(60)])),
        [],
        "line 2 (row 0), column e1: '1,000' is a number with separators or a unit. Fix: write it like 1234.5",
    ),
    "decimal commas": (
        csv(ROWS.frame(), decimal=","),
        [],
        "' is a number with a decimal comma. Fix: write it like 1234.5",
    ),
    "units": (
        csv(table(e1=[f"{row} %" for row in range(60)])),
        [],
        "line 2 (row 0), column e1: '0 %' is a number with",
    ),
    "a pickled array of labels": (
        npy(ROWS.X, np.array(list(ROWS.names), dtype=object)),
        [],
        "(it holds pickled objects, which are never loaded). Fix: save numbers, or text as y.astype(str)",
    ),
    "a date column": (
        csv(table(day=DAYS)),
        [],
        "column day: dates are not used. Fix: leave it out: --features=… without day",
    ),
    "a date column in parquet": (parquet(table(day=pd.to_datetime(DAYS))), [], "column day: dates are not used"),
    "free text beside numbers": (
        csv(table(note=SENTENCES)),
        [],
        "column note: 60 different texts are too many for a category",
    ),
    "NaN in an array": (
        npz(X=np.where(ROWS.X[5, 0] == ROWS.X, np.nan, ROWS.X), y=ROWS.names),
        [],
        "t.npz, X, row 5: NaN or infinite values",
    ),
    "too large": (
        npz(X=ROWS.X.astype(float) * 1e200, y=ROWS.names),
        [],
        "which are too large: their squares overflow float64",
    ),
    "too large for float32": (npz(X=ROWS.X.astype(float) * 1e30, y=ROWS.names), [], "row 0: values up to"),
    "no float32 at all": (npz(X=ROWS.X.astype(float) * 1e39, y=ROWS.names), [], "too large: their squares overflow"),
    "a cell that is too large": (
        csv(table(a=np.where(np.arange(60) == 7, 1e300, 1.0))),
        [],
        "line 9 (row 7), column a: 1e+300 is too large, since its square overflows. Fix: scale the column down",
    ),
    "a cell that is too large as it is": (
        csv(table(a=np.where(np.arange(60) == 7, 1e39, 1.0))),
        ["--scaling=none"],
        "line 9 (row 7), column a: 1e+39 is too large, since its square overflows",
    ),
    "three dimensions": (
        npz(X=ROWS.X.reshape(60, 2, 2), y=ROWS.names),
        [],
        "t.npz, X: the shape is (60, 2, 2). Fix: give one vector per row, for example X.reshape(len(X), -1)",
    ),
    "complex": (npz(X=ROWS.X.astype(complex), y=ROWS.names), [], "the values are complex128, not numbers"),
    "text as features": (npz(X=ROWS.X.astype(str), y=ROWS.names), [], "not numbers"),
    "vectors of different widths": (
        arrow(v=pa.array([[1.0, 2.0]] * 59 + [[1.0]]), label=pa.array(ROWS.names)),
        ["--embedding-column=v"],
        "column v, row 59: 1 number where row 0 has 2",
    ),
    "two vector columns": (
        arrow(v=pa.array([[1.0]] * 60), w=pa.array([[1.0]] * 60), label=pa.array(ROWS.names)),
        [],
        "the rows may be judged by v or w",
    ),
    "a vector and --features": (
        arrow(v=pa.array([[1.0]] * 60), label=pa.array(ROWS.names)),
        ["--embedding-column=v", "--features=e*"],
        "--features and --embedding-column: the rows are judged by one of them",
    ),
    "nothing to judge by": (
        csv(table(e0=None, e1=None, e2=None, e3=None)),
        [],
        "there is nothing to judge the rows by",
    ),
    "shortened arrays in csv": (
        csv(table(v=with_value(["[1.0 2.0]"] * 60, 4, "[1.0 ... 2.0]"))),
        ["--embedding-column=v"],
        "line 6 (row 4), column v: this is not a list of numbers (could not convert string to float: '...')",
    ),
    "lists of different widths in csv": (
        csv(table(v=with_value(["[1, 2]"] * 60, 4, "[1]"))),
        ["--embedding-column=v"],
        "line 6 (row 4), column v: 1 number where row 0 has 2",
    ),
    "a column of another kind": (
        csv(table()),
        ["--embedding-column=e0"],
        "column e0: it holds numbers, which --embedding-column cannot be. Fix: name another column: none fits",
    ),
    "an id column of vectors": (
        arrow(v=pa.array([[1.0]] * 60), label=pa.array(ROWS.names)),
        ["--id-column=v"],
        "column v: it holds lists of numbers, which --id-column cannot be",
    ),
    "pictures in feather": (
        lambda at: (
            pyarrow.feather.write_feather(pa.table({"image": STORED, "label": ROWS.names}), at / "t.feather"),
            at / "t.feather",
        )[1],
        [],
        "column image: pictures in a feather file are not read. Fix: save it as parquet",
    ),
    "a pattern that fits nothing": (csv(table()), ["--features=f*"], "there is no column 'f*'"),
    # pictures
    "a folder of parts": (
        pictures("train/cat/a.png", "val/cat/b.png"),
        [],
        "its folders are parts, not classes (train, val). Fix: rank one of them",
    ),
    "pictures beside the class folders": (
        pictures("cat/a.png", "b.png"),
        [],
        "some files are in no folder of a class (1 in all: b.png). Fix: move or remove them.",
    ),
    "a table beside the class folders": (
        pictures("cat/a.png", "dog/b.png", labels=PATHS),
        [],
        "(1 in all: labels.csv). Fix: move or remove them, or pass --labels=",
    ),
    "one folder around the class folders": (
        pictures("all/cat/a.png", "all/dog/b.png"),
        [],
        "photos: its only folder holds folders, which may be those of the classes. Fix: rank ",
    ),
    "labels that are not there": (pictures(*FLAT), ["--labels=none.csv"], "none.csv: there is no such file"),
    "a picture": (
        lambda at: pictures("a.png")(at) / "a.png",
        [],
        "a.png: this is a single picture. Fix: give the folder",
    ),
    "a flat folder without a table": (
        pictures(*FLAT),
        [],
        "no folders whose names could be labels. Fix: pass --labels=FILE",
    ),
    "a flat folder with two tables": (
        pictures(*FLAT, labels=PATHS, more=PATHS),
        [],
        "the labels may be in labels.csv or more.csv",
    ),
    "a picture that is not there": (pictures(*FLAT[1:], labels=PATHS), [], "line 2 (row 0), column path: "),
    "a picture of many that is not there": (
        pictures(*FLAT[1:], labels=PATHS.replace("path", "what")),
        [],
        "line 2 (row 0), column what: ",
    ),
    "a path out of the folder": (
        pictures(*FLAT, labels=PATHS.replace("00.png", "../../x.png")),
        [],
        "Fix: give paths below the folder",
    ),
    "a picture that is named twice": (
        pictures(*FLAT, labels=PATHS + "00.png,cat\n"),
        [],
        "line 14 (row 12), column path: '00.png' already has a row",
    ),
    "a broken picture": (
        lambda at: (pictures("cat/a.png", "dog/b.png")(at), (at / "photos/cat/x.png").write_text("x"), at / "photos")[
            2
        ],
        [],
        "some files cannot be decoded (1 in all: cat/x.png",
    ),
    "a picture without bytes": (
        arrow(image=pa.array([{"bytes": None, "path": "x.png"}] * 60), label=pa.array(ROWS.names)),
        ["--image-column=image"],
        "there is no picture in this row",
    ),
    # files
    "a repeated column": (text("a,a,label\n1,2,x\n"), [], "t.csv, line 1: two columns are called 'a'"),
    "a short line": (text("a,b,label\n1,2,x\n1,x\n"), [], "t.csv, line 3: 2 cells where the header has 3"),
    "not UTF-8": (
        text(b"a,label\n1,caf\xe9\n"),
        [],
        "line 2: byte 13 is not UTF-8 text. Fix: save it as plain UTF-8 text (spreadsheets call it CSV UTF-8)",
    ),
    "UTF-16": (text("a,label\n1,x\n".encode("utf-16")), [], "t.csv: this is UTF-16 text"),
    "a line for spreadsheets": (text("sep=;\na;label\n1;x\n"), [], "t.csv, line 1: 'sep=;' is for spreadsheets only"),
    "a comment above the header": (
        text("# made by me\na,label\n1,x\n"),
        [],
        "line 2: 2 cells where the header has 1. Fix: start the file with the names of the columns",
    ),
    "no header": (
        text("1.5,0.5,1,cat\n2.5,3.5,2,dog\n"),
        [],
        "line 1: numbers where the names of the columns are expected",
    ),
    "empty cells at the end": (text("a,label\n1,x\n,\n"), [], "t.csv, line 3: all cells are empty. Fix: remove"),
    "an empty file": (text(""), [], "the file is empty"),
    "only a header": (text("a,label\n"), [], "there are no rows"),
    "no such file": (
        lambda at: at / "none.csv",
        [],
        "there is no such file. Fix: give a folder of pictures, or a file: .csv, .tsv",
    ),
    "json": (text("{}", "t.json"), [], "this is json. Fix: save it as csv or parquet"),
    "a spreadsheet": (text("PK\x03\x04", "t.xlsx"), [], "this is a spreadsheet"),
    "an archive": (text("PK\x03\x04", "t.zip"), [], "this is an archive. Fix: unpack it"),
    "a compressed table": (text("x", "t.csv.gz"), [], "this is an archive. Fix: unpack it"),
    "a folder of tables": (
        lambda at: ((at / "d").mkdir(), (at / "d" / "train-0.parquet").write_text("x"), at / "d")[2],
        [],
        "it holds tables, not pictures. Fix: rank one of them, for example",
    ),
    "a single number": (npy(np.array(3.0)), [], "X.npy: the shape is ()"),
    "a pickle": (text("x", "t.pkl"), [], "this is a pickle, which is never loaded"),
    "an unknown suffix": (text("x", "t.dat"), [], "this is of no known form (.dat)"),
    "text named parquet": (text("a,label\n", "t.parquet"), [], "this is not a readable parquet file"),
    "text named npz": (text("x", "t.npz"), [], "this is of no known form (.npz)"),
    "an npz of other arrays": (
        npz(a=ROWS.X, b=ROWS.names),
        [],
        "there is no array for the features (arrays: a, b). Fix: say which: --embedding-column=NAME",
    ),
    "a sparse matrix": (
        lambda at: (scipy.sparse.save_npz(at / "t.npz", scipy.sparse.csr_matrix(ROWS.X)), at / "t.npz")[1],
        [],
        "this is a sparse matrix. Fix: make it dense",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_sentence(name, tmp_path, capsys):
    make, options, message = REFUSED[name]
    path = make(tmp_path)
    status, out, err = run(capsys, "rank", path, *options)
    assert (status, out) == (1, "")
    assert message in err
    assert err.startswith("error: ")
    assert " Fix: " in err
    assert err.count("\n") == 1
    assert not (tmp_path / f"{path.stem}_review" / "ranking.csv").exists()
