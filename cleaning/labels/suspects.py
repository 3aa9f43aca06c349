"""What `fixfirst.rank` returns: the labels to fix first, and what was decided about them."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cleaning.belief.caveats import Caveat
from cleaning.belief.count import Count
from cleaning.data import IntVector
from cleaning.errors import InvalidInput, Place, count_of, first_three, printable, suggest, whole_from_0
from cleaning.labels.advice import advice, between
from cleaning.labels.applied import decided_votes, refuse_changed, refuse_other_kind, replaced, without_dropped
from cleaning.labels.classes import Labels, encode_labels, spelled_alike
from cleaning.labels.crowd import annotators_frame, crowd_of
from cleaning.labels.frames import Given
from cleaning.labels.indexed import places_of
from cleaning.labels.looked import Looked, Verdict
from cleaning.labels.named_caveats import named_caveats
from cleaning.labels.notebook import SHOWN, as_html
from cleaning.labels.ranked import Ranked
from cleaning.labels.rounds import renewed
from cleaning.labels.votes import Votes
from cleaning.review import checked_labels

_SHOWN = 10


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
    advice : str
        Whether to go on looking, in a sentence.
    caveats : tuple of Caveat
        What the data cannot tell, or what seems to be wrong with them.
    frame : pandas.DataFrame
        One line per row of the data, the label to fix first on top; rows without a label are at the end. The index is
        the row. `decision` is `label: NAME`, `keep`, `drop`, `unsure` or None, and `suggested_label` is then the right
        one, if that is known.
    kept : array of bool, shape (n,)
        Which rows of the data were not dropped.
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
        given: Given,
        pictures: Sequence[bytes] | Callable[[int], bytes | None] | None,
        votes: Votes | None = None,
    ) -> None:
        self._votes, self._index, self._doubts = votes, given.index, given.caveats
        self._ranked, self._labels, self._ids = ranked, labels, given.ids
        self._pictures = pictures
        self._looked = Looked()
        # all classes by name: those of the data, then those of decisions
        self._values_of = dict(zip(labels.names, labels.values, strict=True))
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
    def advice(self) -> str:
        """Whether to go on looking, in a sentence."""
        now = self._current().round
        return advice(now.suspicion[now.order], now.left, checked_labels(now.suspicion, now.order))

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What the data cannot tell, or what seems to be wrong with them."""
        return (*self._doubts, *named_caveats(self._ranked.posterior.caveats, self._labels.names))

    @property
    def frame(self) -> pd.DataFrame:
        """One line per row of the data, the label to fix first on top; rows without a label are at the end."""
        now = self._current()
        order = now.order
        near = self._ranked.near_duplicate_of[order].tolist()
        columns = {
            "given_label": self._values(self._labels.codes[order]),
            "suggested_label": self._values(now.suggestion[order]),
            "probability": now.probability[order],
            "near_duplicate_of": [None if row < 0 else self._ids[row] for row in near],
            "outlier": self._ranked.outlier[order],
            "decision": pd.Series(self._looked.words(order.tolist()), dtype=object),
        }
        if self._votes is not None:
            ours, others = self._votes.on(self._labels.codes)
            people = np.array([*self._votes.annotators, None], dtype=object)
            asked = pd.Series(people[crowd_of(now, self._votes).ask[order]], dtype=object)
            columns |= {"votes_for": ours[order], "votes_against": others[order], "ask_next": asked}
        columns |= {"id": [self._ids[row] for row in order], "place": np.arange(1, len(order) + 1)}
        # where a screen is narrow, pandas leaves out columns in the middle
        columns |= {"row": order, "suspicion": now.suspicion[order]}
        return pd.DataFrame(columns).set_axis(order, axis=0)

    @property
    def first_looks(self) -> pd.DataFrame:
        """The undecided rows of `frame` that were drawn, to count wrong labels by; empty where none were drawn."""
        return self.frame.loc[[row for row in self._ranked.drawn.tolist() if row not in self._looked]]

    @property
    def annotators(self) -> pd.DataFrame | None:
        """One line per annotator: votes, missing votes, P(a vote is right), bits that a missing vote should tell."""
        return None if self._votes is None else annotators_frame(crowd_of(self._current(), self._votes))

    def forecast(self, looks: int = 20) -> Count:
        """Say how many wrong labels the next looks should find.

        Parameters
        ----------
        looks : int
            So many rows, as `next` gives them; all open rows if there are fewer.

        Returns
        -------
        Count
            The expected number and a 90% interval; expected is NaN where the data cannot tell.
        """
        now, looks = self._current().round, whole_from_0("looks", looks)
        return now.forecast(looks) or Count(float("nan"), 0.0, float(min(looks, len(now.order))))

    def next(self, count: int = 20) -> pd.DataFrame:
        """Give the rows to look at next.

        Parameters
        ----------
        count : int
            At most so many.

        Returns
        -------
        pandas.DataFrame
            The first undecided rows of `frame`. Its index and its column `row` are what `decide` takes.
        """
        return self.frame.head(min(whole_from_0("count", count), len(self) - len(self._looked)))

    def decide(self, rows: ArrayLike, labels: Any, *, new_labels: bool = False) -> "Suspects":
        """Record what the labels of some rows should be; a later decision about a row replaces an earlier one.

        Parameters
        ----------
        rows : int, str, or array-like of them
            Row numbers, as in the column `row` of `frame`; or ids, as in the column `id`, which are text.
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
        numbers = self._numbers(rows)
        single = isinstance(labels, str | bytes) or not hasattr(labels, "__len__")
        right = encode_labels([labels] * len(numbers) if single else labels, Place(key="labels"), classes=True)
        if len(right.codes) != len(numbers):
            raise InvalidInput(
                "labels", f"{len(right.codes)} for {count_of(len(numbers), 'row')}", "give one for every row, or one"
            )
        right = spelled_alike(right, self._labels)
        unknown = [name for name in right.names if name not in self._values_of]
        if (unknown and not new_labels) or (right.codes < 0).any():
            found = f"no row has such a label ({first_three(unknown)})" if unknown else "a label is missing"
            fix = f"use one of {first_three(self._labels.names)}, or new_labels=True"
            if unknown and unknown[0] in ("drop", "unsure"):
                fix = f"use found.{unknown[0]}(rows), or new_labels=True if it is a class"
            raise InvalidInput("labels", found, fix)
        values = dict(zip(right.names, right.values, strict=True))
        refuse_other_kind([values[name] for name in unknown], self._labels.values)
        self._values_of |= {name: values[name] for name in unknown}
        place = {name: number for number, name in enumerate(self._values_of)}
        for row, code in zip(numbers.tolist(), right.codes.tolist(), strict=True):
            name = right.names[code]
            kind: Literal["keep", "label"] = "keep" if place[name] == self._labels.codes[row] else "label"
            self._looked.say(row, Verdict(kind, self._values_of[name], place[name]))
        self._now = None
        return self

    def drop(self, rows: ArrayLike) -> "Suspects":
        """Record that some rows are to be left out: no class fits, or they are of no use.

        Parameters
        ----------
        rows : int, str, or array-like of them
            As in `decide`.

        Returns
        -------
        Suspects
            This object.

        Raises
        ------
        InvalidInput
            For a row that is not there.
        """
        return self._say(rows, Verdict("drop"))

    def unsure(self, rows: ArrayLike) -> "Suspects":
        """Record that somebody looked at some rows and could not tell. They keep their labels and do not come back.

        Parameters
        ----------
        rows : int, str, or array-like of them
            As in `decide`.

        Returns
        -------
        Suspects
            This object.

        Raises
        ------
        InvalidInput
            For a row that is not there.
        """
        return self._say(rows, Verdict("unsure"))

    def undo(self, rows: ArrayLike) -> "Suspects":
        """Take back what was said last about some rows by `decide`, `drop` or `unsure`; what was said before counts.

        Parameters
        ----------
        rows : int, str, or array-like of them
            As in `decide`.

        Returns
        -------
        Suspects
            This object.

        Raises
        ------
        InvalidInput
            For a row that is not there, or that nothing was said about. Then nothing is taken back.
        """
        self._looked.take_back(self._numbers(rows))
        self._now = None
        return self

    def apply(self, labels: Any) -> Any:
        """Put the decided labels into a copy of the labels.

        Parameters
        ----------
        labels : list, array or Series
            The labels that were ranked. Where votes were ranked, those. A Series with the index of what was ranked may
            be in another order.

        Returns
        -------
        list, array or Series
            The same with the decided labels changed and without the rows that were dropped. `X[found.kept]` are the
            rows that belong to them, if the labels are in the order that was ranked. Arrays become as wide as their
            longest label or largest number. Where votes were ranked, what most annotators said, with the decided labels
            changed.

        Raises
        ------
        InvalidInput
            If a row no longer has the label that it was ranked with, and for another index.
        """
        if len(labels) != len(self):
            found = f"{len(labels)} for {count_of(len(self), 'row')}"
            raise InvalidInput("labels", found, "give the labels that were ranked")
        places = places_of(self._index, labels)
        ranked = labels if places is None else labels.iloc[places]
        if self._votes is not None:
            fixed = decided_votes(self._votes, ranked, self._labels, self._looked.right)
        else:
            refuse_changed(ranked, self._labels)
            fixed = replaced(ranked, self._looked.right)
        back = slice(None) if places is None else np.argsort(places)
        return without_dropped(fixed if places is None else fixed.iloc[back], self.kept[back])

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which rows of the data were not dropped, shape (n,)."""
        found = np.ones(len(self), dtype=bool)
        found[[row for row, verdict in self._looked.standing.items() if verdict.kind == "drop"]] = False
        return found

    def _say(self, rows: ArrayLike, verdict: Verdict) -> "Suspects":
        for row in self._numbers(rows).tolist():
            self._looked.say(row, verdict)
        self._now = None
        return self

    def _numbers(self, rows: Any) -> IntVector:
        """The numbers of rows, which may be named by their ids."""
        given = np.atleast_1d(np.asarray(rows))
        if given.ndim == 1 and len(given) and all(isinstance(one, str) for one in given.tolist()):
            place = {name: row for row, name in enumerate(self._ids)}
            unknown = [name for name in given.tolist() if name not in place]
            if unknown:
                raise InvalidInput("rows", f"there is no row {unknown[0]!r}", suggest(unknown[0], self._ids))
            return np.array([place[name] for name in given.tolist()], dtype=np.int64)
        if given.shape == (0,):
            return np.empty(0, dtype=np.int64)
        if given.ndim != 1 or given.dtype.kind not in "iu":
            fix = "give whole numbers, such as found.next(20).row, or ids"
            raise InvalidInput("rows", "these are not row numbers", fix)
        outside = given[(given < 0) | (given >= len(self))]
        if len(outside):
            problem = f"there are no such rows ({first_three(outside.tolist())})"
            raise InvalidInput("rows", problem, f"use 0 to {len(self) - 1}")
        return given

    def _current(self) -> Ranked:
        """The ranking after the decisions; computed when it is first asked for."""
        if self._now is None:
            checked, left_out = self._looked.checked, self._looked.left_out
            self._now = renewed(self._ranked, checked, left_out) if len(self._looked) else self._ranked
        return self._now

    def _values(self, codes: IntVector) -> "pd.Series[Any]":
        """The classes as they are in the data; None for a row without a label."""
        values = np.array([*self._values_of.values(), None], dtype=object)[codes]
        return pd.Series(list(values), dtype=None if (codes >= 0).all() else object)

    def _repr_html_(self) -> str:
        """The first suspects as a table, with their pictures where these are known."""
        found = self.next(_SHOWN)
        head, *said = self._said()
        return as_html(head, said, found, [self._picture(row) for row in found["row"].tolist()])

    def __repr__(self) -> str:
        """How many labels are wrong, whether to go on, and the first suspects."""
        table = self.next(_SHOWN)[SHOWN].to_string(index=False, max_colwidth=40).splitlines()
        return "\n".join(map(printable, [*self._said(), *table]))

    def _said(self) -> list[str]:
        """How many labels are wrong, what the data cannot tell, and whether to go on."""
        left, decided = self.left, len(self._looked)
        head = count_of(len(self._ranked.labelled), "label") + (f", {decided} of them decided" if decided else "")
        if len(self._current().round.order) and not np.isnan(left.expected):
            them = "the others" if decided else "them"
            head += f"; {between(left.low, left.high)} of {them} are probably wrong (90% confidence)"
        return [head, *map(str, self.caveats), self.advice]

    def _picture(self, row: int) -> Any:
        if self._pictures is None:
            return None
        return self._pictures(row) if callable(self._pictures) else self._pictures[row]
