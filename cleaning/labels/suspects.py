"""`fixfirst.rank`: which labels of an array or a DataFrame to fix first, and what was decided about them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cleaning.belief.caveats import Caveat
from cleaning.belief.count import Count
from cleaning.data import FloatMatrix, IntVector, Split
from cleaning.errors import InvalidInput, Place, first_three
from cleaning.labels.applied import decided_votes, replaced
from cleaning.labels.classes import Labels, encode_labels, joined, spelled_alike
from cleaning.labels.crowd import annotators_frame, crowd_of
from cleaning.labels.evidence import Scaling, encoder_of
from cleaning.labels.frames import Choice, Given, given_rows, trusted_rows
from cleaning.labels.named_caveats import named_caveats
from cleaning.labels.notebook import as_html
from cleaning.labels.predicted import predicted_by_class
from cleaning.labels.ranked import Ranked, rank_rows
from cleaning.labels.rounds import renewed
from cleaning.labels.votes import Votes

_SHOWN = 10


def rank(
    data: Any,
    labels: Any = None,
    *,
    votes: Any = None,
    trusted: Any = None,
    label: str | Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    embeddings: str | None = None,
    text: str | None = None,
    scaling: Scaling | None = None,
    classes: bool = False,
    probabilities: Any = None,
    trusted_probabilities: Any = None,
    pictures: Sequence[bytes] | Callable[[int], bytes | None] | None = None,
    seed: int = 0,
) -> "Suspects":
    """Find the labels to fix first.

    Parameters
    ----------
    data : array-like of shape (n, d), or DataFrame
        Embeddings, or a table: a DataFrame of pandas, polars, pyarrow or any library with `to_pandas` or the Arrow
        stream interface. None: the probabilities are all there is.
    labels : array-like of shape (n,), optional
        One label per row: text, whole numbers or booleans; None and NaN for a row without one. Default: the column of
        the DataFrame that `label` names.
    votes : array-like of shape (n, A), or DataFrame, optional
        Instead of labels, what each of A annotators said of each row; None, NaN, empty text and -1 for nothing. The
        given label is what most of them said; of classes with equally many votes, the one with more votes in all.
    trusted : tuple of (data, labels), or DataFrame, optional
        Further rows of the same form whose labels are known to be right.
    label : str or sequence of str, optional
        The column with the labels; several: those with the votes of annotators.
    features : sequence of str, optional
        The columns to judge the rows by. Default: all others. Numbers are standardised; text of few values becomes
        0 and 1.
    embeddings : str, optional
        Judge the rows by this column of vectors, as they are.
    text : str, optional
        Judge the rows by this column of texts, by their letters. This is weak; embeddings of a language model find
        more.
    scaling : str, optional
        `"standard"` or `"none"`, for columns of numbers. Default: standard, unless the columns are one vector written
        out (`e0`, `e1`, `e2`, …).
    classes : bool
        Labels that look like a quantity or like ids are meant as classes.
    probabilities : array-like of shape (n, K), or DataFrame, optional
        What a model of your own predicts for each row, out of sample (from cross-validation): one more voice. One
        column per class: named after it, or in the order of the class names.
    trusted_probabilities : array-like of shape (m, K), or DataFrame, optional
        The same for the trusted rows.
    pictures : sequence of bytes, or function, optional
        The encoded picture of each row, shown in notebooks.
    seed : int
        Fixes everything that is random.

    Returns
    -------
    Suspects
        The rows in the order to look at them.

    Raises
    ------
    InvalidInput
        For data that cannot be used, with the column and the row.

    Examples
    --------
    >>> import fixfirst
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> labels = y[:300].copy()
    >>> labels[[3, 250]] = 8  # two wrong labels
    >>> found = fixfirst.rank(X[:300], labels, trusted=(X[300:500], y[300:500]))
    >>> found.next(2)[["row", "given_label", "suggested_label"]]
       row  given_label  suggested_label
    0    3            8                3
    1  250            8                4
    >>> corrected = found.decide([3, 250], [3, 4]).apply(labels)
    """
    choice, alone = Choice(label, features, embeddings, text, scaling, classes), data is None
    if alone:
        data, trusted = _rows_of_model(probabilities, trusted, trusted_probabilities)
    given = given_rows(data, labels, choice, "data", votes)
    checked = None if trusted is None else trusted_rows(trusted, choice, given)
    known, said = _with_names_of(given, checked)
    encode = encoder_of(given.evidence)
    own = _predicted(probabilities, given, known.names, "probabilities")
    others = (
        None if checked is None else _predicted(trusted_probabilities, checked, known.names, "trusted_probabilities")
    )
    matrix, split = own if alone and own is not None else encode(given.evidence), None
    if checked is not None:
        rows = np.flatnonzero(checked.labels.codes >= 0)
        others = others[rows] if others is not None else None
        right = others if alone and others is not None else encode(checked.evidence)[rows]
        ids = tuple(checked.ids[row] for row in rows.tolist())
        split = Split(right, checked.labels.renumbered(known.names)[rows], ids)
    votes = None if said is None else said.codes
    ranked = rank_rows(
        matrix, known.codes, given.ids, split, seed=seed, probabilities=own, trusted_probabilities=others, votes=votes
    )
    return Suspects(ranked, known, given.ids, pictures, said)


class Suspects:
    """Rows in the order to look at them, and the decisions made about them so far. Made by `rank`.

    Attributes
    ----------
    classes : tuple
        The classes, as they are in the data, in natural order.
    wrong : Count
        How many of the labels were wrong before any decision, with a 90% interval.
    left : Count
        How many labels of rows without a decision are wrong, with a 90% interval.
    caveats : tuple of Caveat
        What the data cannot tell, or what seems to be wrong with them.
    frame : pandas.DataFrame
        One line per row of the data, the label to fix first on top; rows without a label are at the end.
    first_looks : pandas.DataFrame
        The rows of `frame` to look at first where no row is trusted. They were drawn at random: once all of them are
        decided, `left` is known better. Empty where there are trusted rows, or few others.
    annotators : pandas.DataFrame or None
        One line per annotator: votes, missing votes, P(a vote is right), bits that a missing vote should tell.
    """

    def __init__(
        self,
        ranked: Ranked,
        labels: Labels,
        ids: tuple[str, ...],
        pictures: Sequence[bytes] | Callable[[int], bytes | None] | None,
        votes: Votes | None = None,
    ) -> None:
        self._votes = votes
        self._ranked, self._labels, self._ids = ranked, labels, ids
        self._pictures = pictures
        self._decided: dict[int, object] = {}
        # all classes by name: those of the data, then those of decisions
        self._values_of = dict(zip(labels.names, labels.values, strict=True))
        self._checked: dict[int, int] = {}
        self._now: Ranked | None = None

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def classes(self) -> tuple[object, ...]:
        """The classes, as they are in the data, in natural order."""
        return self._labels.values

    @property
    def wrong(self) -> Count:
        """How many of the labels were wrong before any decision, with a 90% interval."""
        return self._ranked.posterior.wrong_labels()

    @property
    def left(self) -> Count:
        """How many labels of rows without a decision are wrong; expected is NaN where the data cannot tell."""
        found = self._current().round
        unknown = Count(float("nan"), 0.0, float(len(found.order)))
        return (found.left or unknown) if len(found.order) else Count(0.0, 0.0, 0.0)

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What the data cannot tell, or what seems to be wrong with them."""
        return named_caveats(self._ranked.posterior.caveats, self._labels.names)

    @property
    def frame(self) -> pd.DataFrame:
        """One line per row of the data, the label to fix first on top; rows without a label are at the end."""
        now = self._current()
        order = now.order
        near = self._ranked.near_duplicate_of[order].tolist()
        columns = {
            "place": np.arange(1, len(order) + 1),
            "id": [self._ids[row] for row in order],
            "row": order,
            "given_label": self._values(self._labels.codes[order]),
            "suggested_label": self._values(now.suggestion[order]),
            "probability": now.probability[order],
            "suspicion": now.suspicion[order],
            "near_duplicate_of": [None if row < 0 else self._ids[row] for row in near],
            "outlier": self._ranked.outlier[order],
            "decision": pd.Series([self._decided.get(row) for row in order.tolist()], dtype=object),
        }
        if self._votes is not None:
            ours, others = self._votes.on(self._labels.codes)
            people = np.array([*self._votes.annotators, None], dtype=object)
            asked = pd.Series(people[crowd_of(now, self._votes).ask[order]], dtype=object)
            columns |= {"votes_for": ours[order], "votes_against": others[order], "ask_next": asked}
        return pd.DataFrame(columns)

    @property
    def first_looks(self) -> pd.DataFrame:
        """The undecided rows of `frame` that were drawn, to count wrong labels by; empty where none were drawn."""
        still = [row for row in self._ranked.drawn.tolist() if row not in self._decided]
        return self.frame.set_index("row", drop=False).loc[still].reset_index(drop=True)

    @property
    def annotators(self) -> pd.DataFrame | None:
        """One line per annotator: votes, missing votes, P(a vote is right), bits that a missing vote should tell."""
        return None if self._votes is None else annotators_frame(crowd_of(self._current(), self._votes))

    def next(self, count: int = 20) -> pd.DataFrame:
        """Give the rows to look at next.

        Parameters
        ----------
        count : int
            At most so many.

        Returns
        -------
        pandas.DataFrame
            The first undecided rows of `frame`.
        """
        return self.frame.head(min(count, len(self) - len(self._decided)))

    def decide(self, rows: ArrayLike, labels: Any, *, new_labels: bool = False) -> "Suspects":
        """Record what the labels of some rows should be; a later decision about a row replaces an earlier one.

        Parameters
        ----------
        rows : int or array-like of int
            Row numbers, as in the column `row` of `frame`.
        labels : object, or sequence of them
            The right label of each row, or one for all of them. The given label confirms it.
        new_labels : bool
            Whether labels that no row has are allowed.

        Returns
        -------
        Suspects
            This object.

        Raises
        ------
        InvalidInput
            For a row that is not there, or a label that is none of `classes`.
        """
        numbers = np.atleast_1d(np.asarray(rows))
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
            raise InvalidInput("rows", "these are not row numbers", "give whole numbers, such as found.next(20).row")
        outside = numbers[(numbers < 0) | (numbers >= len(self))]
        if len(outside):
            problem = f"there are no such rows ({first_three(outside.tolist())})"
            raise InvalidInput("rows", problem, f"use 0 to {len(self) - 1}")
        single = isinstance(labels, str | bytes) or not hasattr(labels, "__len__")
        right = encode_labels([labels] * len(numbers) if single else labels, Place(key="labels"), classes=True)
        if len(right.codes) != len(numbers):
            raise InvalidInput(
                "labels", f"{len(right.codes)} for {len(numbers)} rows", "give one for every row, or one"
            )
        right = spelled_alike(right, self._labels)
        unknown = [name for name in right.names if name not in self._values_of]
        if (unknown and not new_labels) or (right.codes < 0).any():
            found = f"no row has such a label ({first_three(unknown)})" if unknown else "a label is missing"
            raise InvalidInput("labels", found, f"use one of {first_three(self._labels.names)}, or new_labels=True")
        values = dict(zip(right.names, right.values, strict=True))
        self._values_of |= {name: values[name] for name in unknown}
        place = {name: number for number, name in enumerate(self._values_of)}
        for row, code in zip(numbers.tolist(), right.codes.tolist(), strict=True):
            self._decided[row], self._checked[row] = self._values_of[right.names[code]], place[right.names[code]]
        self._now = None
        return self

    def apply(self, labels: Any) -> Any:
        """Put the decided labels into a copy of the labels.

        Parameters
        ----------
        labels : list, array or Series
            The labels that were ranked. Where votes were ranked, those.

        Returns
        -------
        list, array or Series
            The same with the decided labels changed; text arrays become as wide as their longest label. Where votes
            were ranked, what most annotators said, with the decided labels changed.

        Raises
        ------
        InvalidInput
            If a row that was decided no longer has the label that it was ranked with.
        """
        if len(labels) != len(self):
            raise InvalidInput("labels", f"{len(labels)} for {len(self)} rows", "give the labels that were ranked")
        if self._votes is not None:
            return decided_votes(self._votes, labels, self._labels, self._decided)
        now = encode_labels(labels, Place(key="labels"), classes=True)
        for row in self._decided:
            before, found = self._labels.codes[row], now.codes[row]
            same = before < 0 if found < 0 else before >= 0 and self._labels.names[before] == now.names[found]
            if not same:
                place = Place(key="labels", row=row)
                raise InvalidInput(place, "the label is not the one that was ranked", "rank these labels again")
        return replaced(labels, self._decided)

    def _current(self) -> Ranked:
        """The ranking after the decisions; computed when it is first asked for."""
        if self._now is None:
            self._now = renewed(self._ranked, self._checked) if self._checked else self._ranked
        return self._now

    def _values(self, codes: IntVector) -> "pd.Series[Any]":
        """The classes as they are in the data; None for a row without a label."""
        values = np.array([*self._values_of.values(), None], dtype=object)[codes]
        return pd.Series(list(values), dtype=None if (codes >= 0).all() else object)

    def _repr_html_(self) -> str:
        """The first suspects as a table, with their pictures where these are known."""
        found = self.next(_SHOWN)
        count = self.wrong
        head = f"{len(self._ranked.labelled)} labels"
        if not np.isnan(count.expected):
            head += f"; {count.low:.0f} to {count.high:.0f} of them are probably wrong (90% confidence)"
        said = [str(caveat) for caveat in self.caveats]
        return as_html(head, said, found, [self._picture(row) for row in found["row"].tolist()])

    def _picture(self, row: int) -> Any:
        if self._pictures is None:
            return None
        return self._pictures(row) if callable(self._pictures) else self._pictures[row]


def _rows_of_model(probabilities: Any, trusted: Any, others: Any) -> tuple[Any, Any]:
    """The probabilities in place of the data that are not there, also of the trusted rows."""
    if probabilities is None:
        raise InvalidInput("data", "there are neither data nor probabilities", "give one of them, or both")
    if isinstance(trusted, tuple) and len(trusted) == 2 and trusted[0] is None:
        if others is None:
            raise InvalidInput("trusted", "there are no data", "give trusted_probabilities")
        trusted = (np.asarray(others), trusted[1])
    elif trusted is not None:
        raise InvalidInput("trusted", "there are data, but none for the other rows", "give (None, labels)")
    return np.asarray(probabilities), trusted


def _predicted(values: Any, given: Given, names: Sequence[str], what: str) -> FloatMatrix | None:
    """The probabilities as a matrix with one column per name."""
    if values is None:
        return None
    text = any(isinstance(value, str) for value in given.labels.values)
    return predicted_by_class(values, names, len(given.ids), what, text=text)


def _with_names_of(given: Given, checked: Given | None) -> tuple[Labels, Votes | None]:
    """The labels, and the votes if there are any, numbered by the names of the trusted rows too."""
    own = given.labels
    if checked is None:
        return own, given.votes
    names = joined(own, checked.labels, Place(key="trusted"))
    values = {
        **dict(zip(checked.labels.names, checked.labels.values, strict=True)),
        **dict(zip(own.names, own.values, strict=True)),
    }
    labels = Labels(own.renumbered(names), names, tuple(values[name] for name in names))
    return labels, None if given.votes is None else given.votes.renumbered(names)
