import io

import fixfirst
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
from PIL import Image

from cleaning.errors import InvalidInput, Place
from cleaning.labels.applied import replaced
from cleaning.labels.columns import Column
from cleaning.labels.evidence import Columns, encoder_of, vectors_in
from tests.support import blobs, noisy_blobs

NAMES = np.array(["bird", "cat", "dog"])
DATASET, TRUTH = noisy_blobs("many", n=90, rate=0.25, classes=3, width=4, gap=6.0)
X = np.asarray(DATASET.train.features, dtype=np.float32)
Y = NAMES[DATASET.train.labels]
CHECKED = blobs(60, 2, classes=3, width=4, gap=6.0)
ORDER = fixfirst.rank(X, Y).frame["row"].tolist()
BY_NUMBER = fixfirst.rank(X, DATASET.train.labels)


def frame(**more):
    return pd.DataFrame({**{f"e{place}": X[:, place] for place in range(4)}, "kind": Y, **more})


class Tensor:
    """What only knows how to become an array, as tensors do."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


@pytest.mark.parametrize(
    ("data", "labels", "options"),
    [
        (X.tolist(), Y.tolist(), {}),
        (X.astype(np.float64), pd.Series(Y, dtype="category"), {}),
        (X, Y.astype(object), {}),
        (X, pd.Series(Y), {}),
        (X, pa.array(Y.tolist()), {}),
        (X, pa.chunked_array([Y.tolist()]).dictionary_encode(), {}),
        (Tensor(X), Tensor(DATASET.train.labels), {}),
        (pa.table(frame()), None, {"label": "kind"}),
        (X, pd.DataFrame({"y": Y}), {}),
        (X, Y[:, None], {}),
        (X, DATASET.train.labels.astype(float), {}),
        (X, DATASET.train.labels.astype(np.uint8), {}),
        (X, DATASET.train.labels - 1, {}),
        (frame().drop(columns="kind"), Y, {}),
        (frame(), None, {"label": "kind"}),
        (frame(note="x"), None, {"label": "kind", "features": ["e0", "e1", "e2", "e3"]}),
        (pd.DataFrame({"v": list(X), "kind": Y}), None, {"label": "kind", "embeddings": "v"}),
    ],
)
def test_the_order_is_the_same_for_every_type(data, labels, options):
    assert fixfirst.rank(data, labels, **options).frame["row"].tolist() == ORDER


def test_a_dataframe_of_another_library_counts_as_one():
    class Other:
        def to_pandas(self):
            return frame()

    assert fixfirst.rank(Other(), label="kind").frame["row"].tolist() == ORDER


def test_numbers_are_standardised_and_categories_one_hot():
    units = frame().rename(columns={"e0": "a", "e1": "b", "e2": "c", "e3": "d"})
    metres = units.assign(a=units["a"] * 1e6 + 3)
    one, other = (fixfirst.rank(data, label="kind").frame["row"].tolist() for data in (units, metres))
    assert one == other
    assert fixfirst.rank(metres, label="kind", scaling="none").frame["row"].tolist() != one
    told = fixfirst.rank(pd.DataFrame({"colour": TRUTH.labels.astype(str), "kind": Y}), label="kind")
    assert (told.frame["given_label"][:15] != NAMES[TRUTH.labels][told.frame["row"][:15]]).all()


def test_numbers_far_from_0_and_close_together_stay_apart():
    far, near = X.astype(float) + 1.7e9, X - X.mean(axis=0)
    expected = fixfirst.rank(near, Y).frame["row"][:20].tolist()
    frame = pd.DataFrame(far).add_prefix("e")
    assert fixfirst.rank(far, Y).frame["row"][:20].tolist() == expected
    assert fixfirst.rank(frame.assign(label=Y), label="label").frame["row"][:20].tolist() == expected
    assert fixfirst.LabelRanker().fit(far, Y).ranking_[:20].tolist() == expected


def test_trusted_rows_are_matched_by_name_and_help():
    found = fixfirst.rank(X, Y, trusted=(CHECKED.features, NAMES[CHECKED.labels]))
    assert np.mean(found.frame["given_label"][:15] != NAMES[TRUTH.labels][found.frame["row"][:15]]) > 0.7
    numbers = fixfirst.rank(X, DATASET.train.labels, trusted=(CHECKED.features, CHECKED.labels.astype(str)))
    assert numbers.frame["row"].tolist() == found.frame["row"].tolist()
    trusted = pd.DataFrame(CHECKED.features, columns=["e0", "e1", "e2", "e3"]).assign(kind=NAMES[CHECKED.labels])
    assert fixfirst.rank(frame(), label="kind", trusted=trusted).frame["row"].tolist() == found.frame["row"].tolist()
    with pytest.raises(InvalidInput, match=r"its classes .*0, 1, 2.* are not those to rank .*bird, cat, dog"):
        fixfirst.rank(X, Y, trusted=(CHECKED.features, CHECKED.labels))
    with pytest.raises(InvalidInput, match="its embeddings have 2 dimensions"):
        fixfirst.rank(X, Y, trusted=(CHECKED.features[:, :2], NAMES[CHECKED.labels]))
    with pytest.raises(InvalidInput, match="trusted: there are no labels"):
        fixfirst.rank(X, Y, trusted=CHECKED.features)


def test_classes_that_only_the_trusted_rows_have_can_be_suggested():
    found = fixfirst.rank(X, np.where(Y == "dog", "cat", Y), trusted=(CHECKED.features, NAMES[CHECKED.labels]))
    assert found.classes == ("bird", "cat", "dog")
    assert "dog" in set(found.frame["suggested_label"])


def test_few_trusted_rows_in_many_classes_are_classes_by_the_names_of_the_others():
    points, numbers = np.eye(30, dtype=np.float32), np.arange(30)
    data = np.repeat(points, 3, axis=0) + 0.1 * X[:, [0]]
    found = fixfirst.rank(data, np.repeat(numbers, 3), trusted=(points[:25], numbers[:25]))
    assert len(found.classes) == 30


def test_ids_are_those_of_a_column_and_decisions_may_name_them():
    ids = [f"p{row}" for row in range(90)]
    old = {"label_before_review": Y}
    for data in (frame(id=ids), frame(filename=ids, index=range(90)), frame(**old).set_axis(ids, axis=0)):
        found = fixfirst.rank(data, label="kind")
        assert found.frame["row"].tolist() == ORDER
        assert found.frame["id"].tolist() == [f"p{row}" for row in ORDER]
    found = fixfirst.rank(frame(code=ids), label="kind", id="code")
    found.decide(found.next(2)["id"], ["cat", "dog"])
    assert set(found.frame["row"][-2:]) == set(ORDER[:2])
    assert fixfirst.rank(frame(key=[*ids[:-1], "p0"]), label="kind").frame["id"].tolist() == list(map(str, ORDER))
    with pytest.raises(InvalidInput, match=r"rows: there is no row 'p90'. Fix: did you mean"):
        found.decide("p90", "cat")
    with pytest.raises(InvalidInput, match="data, column code, row 89: the id is that of another row"):
        fixfirst.rank(frame(code=[*ids[:-1], "p0"]), label="kind", id="code")
    with pytest.raises(InvalidInput, match=r"data: the ids may be in id or key. Fix: say which: id=…"):
        fixfirst.rank(frame(id=ids, key=range(90)), label="kind")


def test_a_column_without_a_value_is_passed_over():
    empty = {"note": [None] * 90, "more": np.nan}
    assert fixfirst.rank(frame(**empty), label="kind").frame["row"].tolist() == ORDER
    with pytest.raises(InvalidInput, match="column note: there is no value in it"):
        fixfirst.rank(frame(**empty), label="kind", features=["e0", "note"])


@pytest.mark.parametrize("names", ["wxyz", ["e0", "e1", "e2", "e3"]])
def test_a_column_without_a_value_among_the_trusted_rows_alone_is_named(names):
    data = pd.DataFrame(X, columns=list(names)).assign(kind=Y, note=None)
    trusted = pd.DataFrame(CHECKED.features, columns=list(names)).assign(kind=NAMES[CHECKED.labels], note=None)
    assert len(fixfirst.rank(data, label="kind", trusted=trusted)) == 90
    trusted[names[1]] = np.nan
    with pytest.raises(InvalidInput, match=f"trusted, column {names[1]}: there is no value in it"):
        fixfirst.rank(data, label="kind", trusted=trusted)


def test_what_is_printed_says_how_many_are_wrong_and_whether_to_go_on():
    names = np.array(["bird", "\x1b[31mcat", "dog"])
    found = fixfirst.rank(X, names[DATASET.train.labels], trusted=(CHECKED.features, names[CHECKED.labels]))
    shown = str(found).splitlines()
    assert shown[0].startswith("90 labels; ")
    assert shown[0].endswith(" of them are probably wrong (90% confidence)")
    assert found.advice in shown
    assert len(shown) == 2 + len(found.caveats) + 1 + 10
    assert "\x1b" not in str(found)
    for rows, labels in (([], []), ((), "dog"), (found.next(0)["id"], np.array([]))):
        assert str(found.decide(rows, labels)).startswith("90 labels; ")
    with pytest.raises(InvalidInput, match="labels: 1 for 0 rows"):
        found.decide([], ["dog"])
    found.decide(found.next(1)["row"], "dog")
    assert str(found).startswith("90 labels, 1 of them decided; ")
    ahead = found.forecast(10)
    assert 0 <= ahead.low <= ahead.expected <= ahead.high <= 10
    assert found.forecast(1000).high <= found.left.high
    assert np.isnan(fixfirst.rank(np.ones((90, 4)), Y).forecast(5).expected)


@pytest.mark.parametrize("wrong", [-1, 1.5, "3", None])
def test_counts_and_seeds_are_whole_numbers_from_0(wrong):
    found = fixfirst.rank(X, Y)
    for ask in (found.next, found.forecast, lambda value: fixfirst.rank(X, Y, seed=value)):
        with pytest.raises(InvalidInput, match=r"(count|looks|seed): it is .*\. Fix: use a whole number from 0"):
            ask(wrong)


def test_caveats_speak_of_classes_by_name():
    (caveat,) = [one for one in fixfirst.rank(X, ["cat"] * 90).caveats if one.kind == "one class"]
    assert "every label is cat;" in caveat.sentence
    turned = NAMES[(CHECKED.labels + 1) % 3]
    found = fixfirst.rank(X, NAMES[TRUTH.labels], trusted=(CHECKED.features, turned))
    assert "what the trusted rows call cat, the training rows call bird" in found.caveats[0].sentence
    assert np.isnan(found.wrong.expected)


def test_rows_without_a_label_come_last_with_a_suggestion():
    labels = Y.astype(object)
    bare = [4, 40, 60]
    labels[bare] = None, np.nan, ""
    found = fixfirst.rank(X, labels).frame
    assert sorted(found["row"].tolist()[-3:]) == bare
    last = found.iloc[-3:]
    assert last["given_label"].isna().all()
    assert last["suspicion"].isna().all()
    assert last["probability"].is_monotonic_decreasing
    assert set(last["suggested_label"]) <= set(NAMES)
    alone = fixfirst.rank(np.delete(X, bare, axis=0), np.delete(labels, bare)).frame
    assert found["suspicion"].dropna().tolist() == pytest.approx(alone["suspicion"].tolist(), abs=1e-6)


def test_decisions_teach_and_what_is_left_shrinks():
    found = fixfirst.rank(X, Y.astype(object), trusted=(CHECKED.features, NAMES[CHECKED.labels]))
    before, wrong = found.left, NAMES[TRUTH.labels] != Y
    assert before == found.wrong
    for _ in range(4):
        rows = found.next(10)["row"].to_numpy()
        found.decide(rows, NAMES[TRUTH.labels][rows])
    seen = np.isin(np.arange(90), found.frame["row"][-40:])
    assert found.left.low <= wrong[~seen].sum() <= found.left.high
    assert found.left.expected < before.expected - 10
    assert found.wrong == before
    shown = found.frame.set_index("row")
    said = shown["decision"].dropna()
    changed = said.index[said != "keep"]
    assert [f"label: {name}" for name in shown["suggested_label"][changed]] == said[changed].tolist()
    assert shown["suggested_label"][said.index].tolist() == NAMES[TRUTH.labels][said.index].tolist()
    assert set(changed) == set(np.flatnonzero(wrong & seen))
    assert set(shown["suspicion"][seen[shown.index]]) == {0.0, 1.0}
    found.decide(np.arange(90), NAMES[TRUTH.labels])
    assert found.left == (0, 0, 0)
    assert len(found.next(5)) == 0
    assert str(found).splitlines()[0] == "90 labels, 90 of them decided"


def test_a_row_that_repeats_another_and_one_that_is_like_no_other_are_named():
    rows = np.vstack([X, X[[3]], np.full((1, 4), 60, dtype=np.float32)])
    labels = [*Y, Y[3], "cat"]
    shown = fixfirst.rank([*rows, rows[7]], [*labels, None]).frame.set_index("row")
    assert shown["near_duplicate_of"].dropna().to_dict() == {90: "3"}
    assert shown.index[shown["outlier"]].tolist() == [91]


@pytest.mark.parametrize("kind", [list, np.array, pd.Series, lambda y: pd.Series(y, dtype="category"), tuple])
def test_decisions_are_applied_to_labels_of_any_kind(kind):
    labels = kind(Y.tolist())
    found = fixfirst.rank(X, labels)
    first = found.next(2)["row"].tolist()
    assert found.decide(first, ["cat", "bird"]) is found
    found.decide(first[0], "dog")
    assert first[0] not in set(found.next(90)["row"])
    assert len(found.next(90)) == 88
    decided = found.frame["suggested_label"][first].tolist()
    assert decided == ["dog", "bird"]
    said = ["keep" if name == Y[row] else f"label: {name}" for row, name in zip(first, decided, strict=True)]
    assert found.frame["decision"][first].tolist() == said
    fixed = found.apply(labels)
    assert type(fixed) is type(labels)
    expected = Y.astype(object)
    expected[first] = "dog", "bird"
    assert list(fixed) == expected.tolist()
    assert list(labels) == Y.tolist()


@pytest.mark.parametrize("votes", [False, True])
def test_labels_in_another_order_are_found_by_their_index(votes):
    ids = [f"p{row}" for row in range(90)]
    given = pd.DataFrame({"ann": Y, "bob": Y}, index=ids) if votes else pd.Series(Y, index=ids)
    found = fixfirst.rank(
        frame().drop(columns="kind").set_index(pd.Index(ids)), **{"votes" if votes else "labels": given}
    )
    expected = found.decide([3, 50], "cat").apply(given)
    shuffled = given.sample(frac=1, random_state=0)
    assert found.apply(shuffled).equals(expected.loc[shuffled.index])
    for other in (given.set_axis(range(90)), given.set_axis([*ids[:-1], "p0"])):
        with pytest.raises(
            InvalidInput, match=r"labels: their index is not that of what was ranked\. Fix: give the labels"
        ):
            found.apply(other)


@pytest.mark.parametrize("kind", [pd.DataFrame, lambda y: np.array(y)[:, None]])
def test_a_column_of_labels_stays_a_column(kind):
    column = kind(Y.tolist())
    fixed = fixfirst.rank(X, column).decide(0, "dog").apply(column)
    assert type(fixed) is type(column)
    assert np.asarray(fixed).tolist() == [["dog"], *([one] for one in Y[1:].tolist())]


def test_labels_of_other_rows_are_refused_even_where_the_decided_ones_agree():
    found = fixfirst.rank(X, Y).decide(0, "cat" if Y[0] != "cat" else "dog")
    other = [*Y[:-1], "cat" if Y[-1] != "cat" else "dog"]
    for changed in (other, [*Y[:-1], "emu"], [*Y[:-1], None], pd.Series(other, index=range(1, 91))):
        with pytest.raises(InvalidInput, match="labels, row 89: the label is not the one that was ranked"):
            found.apply(changed)
    assert found.apply(pd.Series(Y, index=range(1, 91))).iloc[1:].tolist() == Y[1:].tolist()


def test_rows_and_labels_with_one_index_in_two_orders_are_refused():
    labels = pd.Series(Y).sample(frac=1, random_state=0)
    for data, options in ((pd.DataFrame(X), {}), (X, {"trusted": (pd.DataFrame(X), labels)})):
        with pytest.raises(InvalidInput, match=r"labels of (data|trusted): their index is that of the data in another"):
            fixfirst.rank(data, labels, **options)
    assert len(fixfirst.rank(pd.DataFrame(X), labels.to_numpy())) == 90


def test_decisions_may_name_new_labels_only_if_allowed():
    found = fixfirst.rank(X, Y)
    with pytest.raises(InvalidInput, match=r"no row has such a label .*hippopotamus"):
        found.decide(0, "hippopotamus")
    fixed = found.decide([0, 1], "hippopotamus", new_labels=True).apply(Y)
    assert fixed[:2].tolist() == ["hippopotamus"] * 2
    fixed = fixfirst.rank(X, DATASET.train.labels).decide(3, 2).apply(DATASET.train.labels)
    assert (fixed.dtype, fixed[3]) == (DATASET.train.labels.dtype, 2)
    category = pd.Series(Y, dtype="category")
    assert fixfirst.rank(X, category).decide(0, "emu", new_labels=True).apply(category)[0] == "emu"


def test_the_index_of_what_to_look_at_names_the_rows():
    ids = [f"p{row}" for row in range(90)]
    found = fixfirst.rank(frame().set_axis(ids, axis=0), label="kind")
    looked = found.next(2)
    assert looked.index.tolist() == looked["row"].tolist() == ORDER[:2]
    found.decide(looked.index, "cat")
    assert found.frame["decision"].dropna().index.tolist() == sorted(ORDER[:2], key=found.frame.index.get_loc)
    plain = fixfirst.rank(np.repeat(X, 2, axis=0), np.repeat(Y, 2))
    assert plain.first_looks.index.tolist() == plain.first_looks["row"].tolist()


def test_what_to_look_at_fits_on_a_narrow_screen():
    names = np.array(["a long name of a class", "another long name", "cat"])
    with pd.option_context("display.width", 80, "display.max_columns", 0):
        shown = str(
            fixfirst.rank(
                frame().set_axis([f"photos/{row:030}.jpg" for row in range(90)]), names[DATASET.train.labels]
            ).next(3)
        )
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert all(name in shown for name in ("given_label", "suggested_label", "suspicion"))


def test_rows_can_be_dropped_left_open_and_taken_back():
    ids = [f"p{row}" for row in range(90)]
    y = pd.Series(np.where(Y == "bird", "drop", Y), index=ids)  # a class may have this name
    found = fixfirst.rank(X, y)
    one, two, three, four = found.next(4)["row"].tolist()
    found.decide(one, "drop").drop([two, three]).unsure([three]).unsure(four)
    said = found.frame["decision"]
    assert said[[two, three, four]].tolist() == ["drop", "unsure", "unsure"]
    assert said[one] == ("keep" if y.iloc[one] == "drop" else "label: drop")
    assert set(found.frame.index[-4:]) == {one, two, three, four}
    assert len(found.next(90)) == 86
    assert np.flatnonzero(~found.kept).tolist() == [two]
    fixed = found.apply(y)
    assert fixed.index.tolist() == [name for row, name in enumerate(ids) if row != two]
    assert fixed.iloc[[0]].equals(y.iloc[[0]]) == (one != 0)
    shuffled = y.sample(frac=1, random_state=0)
    assert found.apply(shuffled).equals(fixed.loc[[name for name in shuffled.index if name != f"p{two}"]])
    for kind in (list, np.array):
        assert list(found.apply(kind(y.tolist()))) == fixed.tolist()
    found.undo([three, one])
    assert np.flatnonzero(~found.kept).tolist() == sorted([two, three])
    assert found.frame["decision"][[three, one]].tolist() == ["drop", None]
    found.undo([two, three, four])
    assert found.frame["row"].tolist() == fixfirst.rank(X, y).frame["row"].tolist()
    assert found.apply(y).equals(y)
    found.decide(one, "cat")
    with pytest.raises(InvalidInput, match=f"rows: nothing was decided about row {two}"):
        found.undo([one, two])
    assert found.frame["decision"].notna().sum() == 1


def test_votes_of_dropped_rows_are_left_out():
    votes = pd.DataFrame({"ann": Y, "bob": Y})
    found = fixfirst.rank(X, votes=votes).drop(4)
    assert found.apply(votes).index.tolist() == [row for row in range(90) if row != 4]


@pytest.mark.parametrize(
    ("dtype", "new", "expected"),
    [
        (np.uint8, 300, np.int16),
        (np.uint8, 70_000, np.int32),
        (np.uint8, -1, np.int16),
        (np.int8, 7.0, np.int8),
        (np.int64, 2**63, object),
        (np.int64, 2**70, object),
        (np.int32, 3.7, np.float64),
        (np.float32, 3.7, np.float64),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, pd.Series])
def test_arrays_become_wide_enough_for_new_numbers(dtype, new, expected, kind):
    labels = kind(DATASET.train.labels.astype(dtype))
    fixed = BY_NUMBER.decide([0], [new], new_labels=True).apply(labels)
    BY_NUMBER.undo(0)
    assert fixed.dtype == expected
    assert fixed[0] == new
    assert fixed[1:].tolist() == DATASET.train.labels[1:].tolist()


def test_a_type_of_pandas_without_room_is_named():
    labels = pd.Series(DATASET.train.labels, dtype="Int8")
    found = fixfirst.rank(X, labels).decide(0, 300, new_labels=True)
    with pytest.raises(InvalidInput, match="labels of the type Int8 cannot be 300"):
        found.apply(labels)


def test_wrong_decisions_are_one_sentence():
    found = fixfirst.rank(X, Y)
    for rows, labels, message in (
        (90, "cat", r"there are no such rows \(1 in all: 90\)"),
        (-1, "cat", "there are no such rows"),
        ([0, 1], ["cat"], "1 for 2 rows"),
        (0.5, "cat", "these are not row numbers"),
        (0, None, "a label is missing"),
        (
            0,
            "drop",
            r"no row has such a label .*drop.* Fix: use found\.drop\(rows\), or new_labels=True if it is a class",
        ),
    ):
        with pytest.raises(InvalidInput, match=message):
            found.decide(rows, labels)
    found.decide(0, "cat" if Y[0] != "cat" else "dog")
    changed = Y.copy()
    changed[0] = "cat" if Y[0] != "cat" else "dog"
    with pytest.raises(InvalidInput, match="labels, row 0: the label is not the one that was ranked"):
        found.apply(changed)
    with pytest.raises(InvalidInput, match="89 for 90 rows"):
        found.apply(Y[:-1])
    with pytest.raises(InvalidInput, match="labels: 'cat' is text, but 0 is a number"):
        BY_NUMBER.decide(0, "cat", new_labels=True)


def test_a_notebook_shows_the_first_suspects():
    file = io.BytesIO()
    Image.new("RGB", (300, 200), (255, 0, 0)).save(file, format="JPEG")
    hostile = np.where(Y == "cat", "<script>alert(1)</script>", Y)
    found = fixfirst.rank(X, hostile, pictures=[file.getvalue() if row % 2 else b"broken" for row in range(90)])
    page = found._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "data:image/png;base64," in page
    assert page.count("<tr>") == 11
    assert "of them are probably wrong (90% confidence)" in page
    assert "<img" not in fixfirst.rank(X, Y)._repr_html_()


@pytest.mark.parametrize(
    ("data", "labels", "options", "message"),
    [
        (X, [*Y[:-1], 3], {}, "row 89: 3 is a number, but .* in row 0 is text"),
        (X, [*DATASET.train.labels[:-1].tolist(), True], {}, "row 89: True is true or false, but . in row 0"),
        (X, X[:, 0], {}, "looks like a quantity, not like a class"),
        (X, np.arange(90), {}, "every label is different, in 90 rows; this looks like a quantity or an id"),
        (X, [{"a": 1}] * 90, {}, "row 0: there are several labels in a row"),
        (X, [object()] * 90, {}, "row 0: a label is object"),
        (X, np.ma.masked_array(DATASET.train.labels, mask=False), {}, "this is a masked array"),
        (X, scipy.sparse.csr_matrix(DATASET.train.labels), {}, "the labels are a sparse matrix"),
        (X, [b"\xff"] * 90, {}, "row 0: the label is not UTF-8"),
        (X, ["\ud800"] * 90, {}, "row 0: this is not text"),
        (X, np.full(90, 2**31 - 1, np.int32).view("<U1"), {}, "this is not text"),
        (X, pd.date_range("2020-01-01", periods=90), {}, "is a date or a time, not a class"),
        (X, Y[:-1], {}, "labels of data: 89 labels for 90 rows"),
        (X, "labels", {}, "str where labels are expected"),
        (X, [None] * 90, {}, "no row has a label"),
        (np.ma.masked_array(X, mask=X > 2), Y, {}, "data: this is a masked array"),
        (scipy.sparse.csr_matrix(X), Y, {}, "data: this is a sparse matrix"),
        (X.reshape(90, 2, 2), Y, {}, "the shape is \\(90, 2, 2\\)"),
        (X[:, 0], Y, {}, "the shape is \\(90,\\)"),
        ("photos/", None, {}, "data: this is a path or a text. Fix: give an array or a DataFrame; the command"),
        ({"e0": X[:, 0]}, Y, {}, "data: this is a dict"),
        (X, None, {}, "data: there are no labels. Fix: give y"),
        (X, np.stack([Y, Y], axis=1), {}, "the shape is \\(90, 2\\). Fix: give one label per row; or votes="),
        ([[1.0]] * 89 + [[1.0, 2.0]], Y, {}, "data, row 89: 2 numbers where row 0 has 1"),
        (np.where(X[7, 1] == X, np.inf, X), Y, {}, "data, row 7: NaN or infinite values"),
        (X, None, {"label": "kind"}, "data: it has no columns to name"),
        (frame(), None, {}, "there are no labels"),
        (frame(), None, {"label": "kinds"}, "there is no column 'kinds'. Fix: did you mean kind"),
        (frame(), Y, {"label": "kind"}, "labels are given as well"),
        (frame(), None, {"label": "kind", "features": ["e0"], "text": "e1"}, "the rows are judged by one of them"),
        (frame(day=pd.Timestamp("2020-01-01")), None, {"label": "kind"}, "column day: dates are not used"),
        (frame(e1=[*X[:-1, 1], None]), None, {"label": "kind"}, "column e1, row 89: there is no number"),
        (frame(e1=[*X[:-1, 1].tolist(), "x"]), None, {"label": "kind"}, "column e1, row 89: 'x' where row 0 has"),
        (frame(z=[[1]] * 90), None, {"label": "kind"}, "column z: neither .* it out: features=… without z\\.$"),
        (frame(z=list(map(str, X[:, 0]))), None, {"label": "kind"}, "z: 90 different .* judge the rows by it: text=z"),
        (frame(t=[None, *"ab" * 44, "c"]), None, {"label": "kind", "text": "t"}, "row 0: there is no text"),
        (frame(t=""), None, {"label": "kind", "text": "t"}, "the texts are empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(data, labels, options, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        fixfirst.rank(data, labels, **options)
    assert "\n" not in str(caught.value)


def test_texts_are_judged_by_their_letters():
    topics = ("goal match team score", "vote party law senate")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.permutation(topics[row % 2].split())[:3]) + f" {row}" for row in range(60)]
    labels = ["sport" if row % 2 == 0 else "politics" for row in range(60)]
    labels[10], labels[31] = "politics", "sport"
    found = fixfirst.rank(pd.DataFrame({"text": texts, "topic": labels}), label="topic", text="text")
    assert set(found.next(2)["row"]) == {10, 31}


@pytest.mark.parametrize(
    ("labels", "sentences"),
    [
        (["nan", *Y[1:]], ["'nan' counts as a class"]),
        (["?", "N/A", *Y[2:]], ["'?' and 'N/A' count as classes"]),
        (["Cat", *Y[1:]], ["'Cat' and 'cat' count as 2 classes"]),
        (Y, []),
    ],
)
def test_names_that_may_not_be_meant_are_pointed_out(labels, sentences):
    found = [caveat for caveat in fixfirst.rank(X, labels).caveats if caveat.kind == "odd names"]
    assert [caveat.sentence for caveat in found] == sentences
    assert not any(caveat.hides_count for caveat in found)


def test_a_constant_embedding_is_pointed_out():
    (found,) = fixfirst.rank(np.ones((90, 4)), Y).caveats
    assert found.sentence == "all rows have the same embedding, so the order means nothing"


def test_an_outlier_that_was_not_looked_at_leaves_both_sides_in_the_same_units():
    rng = np.random.default_rng(0)
    numbers, known = (rng.normal(1e9, 500, size=(count, 1)) for count in (8192, 6))
    numbers[1] = -1e9
    data, trusted = (
        vectors_in(Columns([Column("e0", "number", values[:, 0])], Place(key="X"), "none"))
        for values in (numbers, known)
    )
    encode = encoder_of(data)
    centre = numbers[::2].mean()
    np.testing.assert_allclose(encode(data)[2:], numbers[2:] - centre, atol=1e-3)
    np.testing.assert_allclose(encode(trusted), known - centre, atol=1e-3)


def test_labels_in_bytes_stay_bytes_and_other_containers_are_refused():
    assert replaced(np.array([b"a", b"bb"]), {0: "ccc"}).tolist() == [b"ccc", b"bb"]
    assert replaced([b"a", None], {1: "b"}) == [b"a", b"b"]
    assert replaced(np.array([1, 2]), {0: 10**400}).tolist() == [10**400, 2]
    with pytest.raises(InvalidInput, match="labels: they are a StringArray, which cannot be changed"):
        replaced(pa.array(["a"]), {0: "b"})
