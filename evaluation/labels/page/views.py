"""What the page is told: the state of the review, lists of rows, and one row with its reasons. Plain JSON values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaning import Count
from cleaning.data import IntVector
from cleaning.labels.advice import is_wide
from evaluation.labels.forms.found import no_picture
from evaluation.labels.page.columns import Column
from evaluation.labels.page.desk import STATES, Desk
from evaluation.labels.page.near import SHOWN, Nearness, Neighbour
from evaluation.labels.page.rounds import Round
from evaluation.labels.placing import Lost, said_of_lost
from evaluation.labels.source import Source

_OPEN = STATES.index("open")
# What the page is told of at most: kinds of rows, points of the curve, rows with the same question, near duplicates of
# a row, and characters of its text.
_MOST_PAIRS, _CURVE_POINTS, _SAME, _COPIES, _LONGEST_TEXT = 500, 120, 12, 6, 20_000
# What should be found is told for so many next looks, and drawn for those.
_NEXT, _AHEAD = 20, (20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Query:
    """Which rows a list has. None and empty: any; an empty given: rows without a label (with `suggested`).

    by: a reviewer. annotator: who has voted on the row. vote: `against` for their votes against the given label.
    """

    given: str | None = None
    suggested: str | None = None
    label: str | None = None
    state: str | None = None
    by: str | None = None
    annotator: str | None = None
    vote: str | None = None
    find: str | None = None
    round: int | None = None
    start: int = 0
    count: int = 50


class _Near(NamedTuple):
    """The rows near a row of one class. kind: `trusted`, or `like` for rows that are hardly suspicious."""

    code: int
    kind: str
    rows: list[Neighbour]


class Views:
    """What can be asked about the rows on a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.nearness = Nearness(desk.review)
        self._told: tuple[tuple[int, str | None, str | None] | None, list[Column]] = (None, [])
        self._folded = [name.casefold() for name in desk.review.source.ids]

    @property
    def annotators(self) -> list[str]:
        """Who has voted on the rows; empty where there is one label per row."""
        votes = self.desk.review.source.votes
        return [] if votes is None else list(votes.annotators)

    def state(self) -> dict[str, Any]:
        """How far the review is: what the bar and the side panel show."""
        desk = self.desk
        with desk.lock:
            current = desk.round
            standing = sorted(desk.verdicts.counting.values(), key=lambda entry: entry.at)
            found = np.cumsum([desk.wrong(entry) for entry in standing], dtype=np.int64)
            total = int(found[-1]) if len(found) else 0
            left = _less(current.left, total - current.found)
            ahead = current.order[desk.state[current.order] == _OPEN]
            history, log = desk.history, desk.review.log
            return {
                "version": f"{len(log.entries)}.{current.number}.{int(desk.computing)}",
                "round": current.number,
                "renewed_after": current.looks,
                "computing": desk.computing,
                "round_failed": desk.failed,
                "looked": len(standing),
                "found": total,
                "left": left,
                "wide": left is not None and is_wide(left),
                "next": _next(current, ahead[:_NEXT]),
                "curve": _thinned([[0, 0], *([looks, int(one)] for looks, one in enumerate(found.tolist(), start=1))]),
                "forecast": _ahead(current, len(standing), total, ahead),
                "advice": current.advice(desk.state != _OPEN, left),
                "caveats": [*_drawn(desk.drawn), *desk.review.description.caveats, *_lost(desk.lost)],
                "pairs": self._pairs(current),
                "people": sorted(desk.verdicts.histories),
                "disagreements": int(np.count_nonzero(desk.state == STATES.index("disagreement"))),
                "saved": log.entries[-1].model_dump(mode="json")["at"] if log.entries else None,
                "can_undo": bool(history.done),
                "can_redo": bool(history.undone),
            }

    def rows(self, query: Query) -> dict[str, Any]:
        """A part of the rows that the query leaves, in the order of a round."""
        desk = self.desk
        with desk.lock:
            seen = desk.round_of(query.round)
            order = seen.order[self._mask(query, seen)[seen.order]]
            part = order[query.start : query.start + query.count].tolist()
            telling = self._telling(query, int(order[0]), seen) if query.suggested and part else ()
            places = np.flatnonzero(np.isin(seen.order, part)) + 1
            place = dict(zip(seen.order[places - 1].tolist(), places.tolist(), strict=True))
            rows = [self.brief(row, seen, place[row], telling) for row in part]
        return {"total": len(order), "round": seen.number, "rows": rows}

    def brief(self, row: int, seen: Round, place: int | None = None, telling: Sequence[Column] = ()) -> dict[str, Any]:
        """A row in a list. telling: the columns to show of it; without any, the first ones."""
        desk, source = self.desk, self.desk.review.source
        suspicion = float(seen.suspicion[row])
        given = int(desk.given[row])
        return {
            "row": row,
            "key": str(row),
            "id": source.ids[row],
            "given": None if given < 0 else desk.classes[given],
            "suggested": desk.classes[seen.suggestion[row]],
            "probability": _share(seen.probability[row]),
            "suspicion": _share(suspicion),
            "p_given": None if np.isnan(suspicion) else _share(1 - suspicion),
            "place": place,
            "state": STATES[desk.state[row]],
            "label": desk.label_of(row),
            "picture": source.hashes[row] if _has_pictures(source) else None,
            "snippet": self.nearness.snippet(source, row, telling),
        }

    def row(self, row: int, number: int | None = None, *, same: bool = True) -> dict[str, Any]:
        """One row with everything that may help to decide about it."""
        desk, source = self.desk, self.desk.review.source
        with desk.lock:
            seen = desk.round_of(number)
            place = int(np.flatnonzero(seen.order == row)[0]) + 1
            checked, _ = desk.verdicts.facts(desk.given, desk.code)
            brief = self.brief(row, seen, place)
            entries = [entry.model_dump(mode="json") for entry in desk.verdicts.of(row)]
        near, columns = self._reasons(row, seen, checked)
        text = source.text(row)
        shown = brief | {
            "snippet": self.nearness.snippet(source, row, columns),
            "round": seen.number,
            "text": None if text is None else text[:_LONGEST_TEXT],
            "decisions": [{name: entry[name] for name in ("by", "verdict", "label", "at")} for entry in entries],
            "columns": [asdict(column) for column in columns],
            "width": self.nearness.width(row),
            "near": [
                {
                    "label": desk.classes[code],
                    "kind": kind,
                    "rows": [self._neighbour(one, seen, columns) for one in group[:SHOWN]],
                }
                for code, kind, group in near
                if group
            ],
            "votes": self._votes(row),
            "outlier": self.nearness.outlier(row),
            "copies": [self.brief(other, seen, None, columns) for other in self.nearness.copies(row)[:_COPIES]],
        }
        return {**shown, "same": self._same(shown, seen, columns)} if same else shown

    def _votes(self, row: int) -> list[dict[str, Any]]:
        """What each annotator said, in the order of the columns; empty where there is one label per row."""
        votes = self.desk.review.source.votes
        if votes is None:
            return []
        said = zip(votes.annotators, votes.codes[row].tolist(), strict=True)
        return [{"by": name, "label": None if code < 0 else self.desk.classes[code]} for name, code in said]

    def _telling(self, query: Query, row: int, seen: Round) -> list[Column]:
        """The columns that tell most about the first row of a kind, to show of all its rows."""
        kind = (seen.number, query.given, query.suggested)
        source = self.desk.review.source
        if kind != self._told[0]:
            bare = _has_pictures(source) or source.text(row) is not None or not self.nearness.width(row)
            self._told = (kind, [] if bare else self._reasons(row, seen, {})[1])
        return self._told[1]

    def _reasons(self, row: int, seen: Round, checked: Mapping[int, int]) -> tuple[list[_Near], list[Column]]:
        """What is near a row of the suggested and of the given class, and its columns beside those of the rows near."""
        codes = dict.fromkeys([int(seen.suggestion[row]), int(self.desk.given[row])])
        near = [self._near(row, code, seen, checked) for code in codes if code >= 0]
        return near, self.nearness.columns(row, near[0].rows, near[1].rows if len(near) > 1 else ())

    def _near(self, row: int, code: int, seen: Round, checked: Mapping[int, int]) -> _Near:
        found = self.nearness.trusted(row, code, checked)
        if len(found) >= SHOWN:
            return _Near(code, "trusted", found)
        return _Near(code, "like", self.nearness.likely(row, code, seen.suspicion))

    def _neighbour(self, one: Neighbour, seen: Round, telling: Sequence[Column]) -> dict[str, Any]:
        trusted = self.desk.review.trusted
        if not one.trusted or trusted is None:
            return self.brief(one.row, seen, None, telling)
        return {
            "row": None,
            "key": f"t{one.row}",
            "id": trusted.ids[one.row],
            "given": self.desk.classes[trusted.labels[one.row]],
            "picture": trusted.hashes[one.row] if _has_pictures(trusted) else None,
            "snippet": self.nearness.snippet(trusted, one.row, telling),
        }

    def _same(self, shown: dict[str, Any], seen: Round, telling: Sequence[Column]) -> dict[str, Any]:
        """The other open rows with the same question."""
        query = Query(shown["given"] or "", shown["suggested"], state="open", round=seen.number, count=_SAME + 1)
        found = self.rows(query)
        rows = [self.brief(one["row"], seen, None, telling) for one in found["rows"] if one["row"] != shown["row"]]
        total = found["total"] - (shown["state"] == "open")
        return {"total": total if shown["given"] != shown["suggested"] else 0, "rows": rows[:_SAME]}

    def _mask(self, query: Query, seen: Round) -> NDArray[np.bool_]:
        desk = self.desk
        mask = np.ones(len(desk.given), dtype=bool)
        if query.suggested:
            mask &= seen.suggestion == desk.code.get(query.suggested, -2)
            if query.given is not None:
                mask &= desk.given == (-1 if query.given == "" else desk.code.get(query.given, -2))
        if query.label:
            code = desk.code.get(query.label, -2)
            decided = [row for row in desk.verdicts.rows if desk.label_of(row) == query.label]
            mask &= (desk.given == code) | (seen.suggestion == code) | np.isin(np.arange(len(mask)), decided)
        if query.state in STATES:
            mask &= desk.state == STATES.index(query.state)
        if query.by:
            theirs = [row for row in desk.verdicts.rows if any(one.by == query.by for one in desk.verdicts.of(row))]
            mask &= np.isin(np.arange(len(mask)), theirs)
        votes = desk.review.source.votes
        if query.annotator and votes is not None:
            said = votes.of(query.annotator)
            mask &= (said >= 0) & (said != desk.given if query.vote == "against" else True)
        if query.find:
            wanted = query.find.casefold()
            mask &= np.fromiter((wanted in name for name in self._folded), bool, len(mask))
        return mask

    def _pairs(self, seen: Round) -> list[dict[str, Any]]:
        """How many open rows there are of each kind, the most frequent first."""
        desk = self.desk
        rows = np.flatnonzero((desk.state == _OPEN) & (seen.suggestion != desk.given))
        wide = len(desk.classes) + 1
        kinds, counts = np.unique((desk.given[rows] + 1) * wide + seen.suggestion[rows], return_counts=True)
        order = np.argsort(-counts, kind="stable")[:_MOST_PAIRS]
        return [
            {
                "given": None if kind // wide == 0 else desk.classes[kind // wide - 1],
                "suggested": desk.classes[kind % wide],
                "open": count,
            }
            for kind, count in zip(kinds[order].tolist(), counts[order].tolist(), strict=True)
        ]


def _has_pictures(source: Source) -> bool:
    """Whether the rows of a source have pictures."""
    return source.views.picture is not no_picture


def _drawn(count: int) -> list[str]:
    if not count:
        return []
    rows = "The first row was" if count == 1 else f"The first {count} rows were"
    then = "once you have looked at all of them, the number of wrong labels is estimated from them"
    return [f"{rows} drawn at random: {then}."]


def _lost(lost: Sequence[Lost]) -> list[str]:
    return [f"{said_of_lost(lost)}."] if lost else []


def _less(count: Count | None, found: int) -> Count | None:
    return None if count is None else Count(*(max(value - found, 0.0) for value in count))


def _next(seen: Round, ahead: IntVector) -> dict[str, Any] | None:
    """What the next looks should find. ahead: at these rows."""
    found = seen.forecast(ahead)
    return {"looks": len(ahead), "found": found} if len(ahead) and found is not None else None


def _ahead(seen: Round, looked: int, found: int, ahead: IntVector) -> list[list[float]]:
    """(looks, expected, low, high) of what will have been found by then. ahead: the open rows in their order."""
    points = []
    for step in [one for one in _AHEAD if one < 3 * max(looked, 40) and one <= len(ahead)]:
        more = seen.forecast(ahead[:step])
        if more is None:
            break
        points.append([looked + step, *(found + value for value in more)])
    return points


def _thinned(points: Sequence[list[int]]) -> list[list[int]]:
    if len(points) <= _CURVE_POINTS:
        return list(points)
    chosen: IntVector = np.unique(np.linspace(0, len(points) - 1, _CURVE_POINTS).round().astype(np.int64))
    return [points[number] for number in chosen.tolist()]


def _share(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
