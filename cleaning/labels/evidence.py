"""What rows are judged by: vectors as they are, the columns of a table, or texts; and how each becomes a float matrix.

`encoder_of` looks at the rows to rank; the encoder it returns turns these and the trusted rows into numbers alike.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cleaning.belief.blocks.stored import Scale, Stored, naming_rows
from cleaning.data import LARGEST_SHARE, FloatVector, Single, checked_features, refuse_overflow, slices
from cleaning.errors import InvalidInput, Place, count_of, first_three
from cleaning.labels.classes import NUMBER
from cleaning.labels.columns import Column
from cleaning.vectors.scaling import centre_of, is_far

Scaling = Literal["standard", "none"]

# Texts become this many directions of a truncated SVD of their hashed n-grams.
_BUCKETS, _DIRECTIONS = 1 << 18, 128
_BLOCK = 4096
# The square of a larger number is not summed over rows in float32.
_LARGEST = math.sqrt(float(np.finfo(np.float32).max) * LARGEST_SHARE)
# A comma before three digits may separate thousands.
_DECIMAL_COMMA = re.compile(r"[+-]?\d{1,15},(\d{1,2}|\d{4,15})")
_ODD_NUMBER = re.compile(r"[$€£¥]? ?[+-]?\d{1,15}([.,'’ \u00a0\u202f]\d{1,15}){0,6} ?[%$€£¥]?")


@dataclass(frozen=True, eq=False)
class Vectors:
    """Embeddings (n, d), used as they are unless `scaling` says that each column is to be standardised."""

    matrix: Any
    place: Place
    scaling: Scaling = "none"


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of a table: numbers are standardised if `scaling` says so, texts of few values become 0 and 1."""

    columns: Sequence[Column]
    place: Place
    scaling: Scaling = "standard"


@dataclass(frozen=True, eq=False)
class Texts:
    """One text per row, as hashed character n-grams."""

    texts: Sequence[Any]
    place: Place


Evidence = Vectors | Columns | Texts
Encoder = Callable[[Evidence], Single]


def encoder_of(evidence: Evidence) -> Encoder:
    """The function that turns these rows, and others of the same form, into an (n, d) float32 matrix.

    It raises InvalidInput that names the column and the row for what has no number: missing values, infinities, dates,
    text of many values; and for rows of another width or without the same columns.
    """
    if isinstance(evidence, Columns):
        return _TableEncoder.of(evidence)
    if isinstance(evidence, Texts):
        return _TextEncoder(evidence)
    return _VectorEncoder(evidence)


def as_encoded(stored: Stored, encoder: Encoder) -> Stored:
    """Stored vectors that are read as this encoder turns them into numbers."""
    found = encoder if isinstance(encoder, _VectorEncoder) else None
    return stored if found is None else replace(stored, scale=found.scale, centre=found.centre)


def vectors_in(columns: Columns) -> Vectors:
    """Columns that are one vector written out, as they are: in float64 where float32 may not tell the values apart."""
    single = encoder_of(columns)(columns)
    numbers = [np.asarray(column.values, dtype=np.float64) for column in columns.columns]
    # with a centre, which is seen from some of the rows, `single` is centred already, and other rows would not be
    double = any(is_far(one) or centre_of(one[:, None]) is not None for one in numbers)
    return Vectors(np.stack(numbers, axis=1) if double else single, columns.place)


def blocks(count: int) -> list[slice]:
    """Slices of a few thousand rows each."""
    return slices(count, _BLOCK)


def _single(matrix: Any, place: Place, centre: FloatVector | None = None) -> Single:
    """The matrix in float32, C-contiguous. Raises InvalidInput that names the row for what does not fit.

    centre (d,): taken off each column before.
    """
    if isinstance(matrix, np.ma.MaskedArray):
        raise InvalidInput(place, "this is a masked array", "fill the masked values or drop those rows")
    if hasattr(matrix, "tocsr"):
        raise InvalidInput(place, "this is a sparse matrix", "make it dense, for example with sklearn's TruncatedSVD")
    array = np.asarray(matrix)
    if array.ndim > 2 and len(array):
        raise InvalidInput(
            place, f"the shape is {array.shape}", "give one vector per row, for example X.reshape(len(X), -1)"
        )
    if array.dtype.kind == "b":
        array = array.astype(np.float32)
    try:
        checked = checked_features(np.asarray(array, dtype=np.float32) if array.dtype == np.float16 else array)
        if checked.dtype == np.float32 and centre is None:
            return np.asarray(checked, dtype=np.float32)
        if centre is not None and checked.shape[1:] == centre.shape:
            checked = checked - centre
        refuse_overflow(checked, np.dtype(np.float32), "features")
        return np.asarray(checked_features(checked.astype(np.float32)), dtype=np.float32)
    except InvalidInput as error:
        raise InvalidInput(
            replace(place, key=place.key or error.place.key, row=error.place.row), error.problem, error.fix
        ) from None


class _VectorEncoder:
    def __init__(self, evidence: Vectors) -> None:
        self._place, self._width = evidence.place, np.shape(evidence.matrix)[1:]
        plain = isinstance(evidence.matrix, np.ndarray) and not isinstance(evidence.matrix, np.ma.MaskedArray)
        self.centre = centre_of(evidence.matrix) if plain and evidence.matrix.ndim == 2 else None
        self.scale = Scale.standard(lambda: _parts(evidence, self.centre)) if evidence.scaling == "standard" else None

    def __call__(self, evidence: Evidence) -> Single:
        if not isinstance(evidence, Vectors):
            raise _other_form(evidence, self._place)
        matrix = _single(evidence.matrix, evidence.place, self.centre)
        if matrix.shape[1:] != self._width:
            raise InvalidInput(
                evidence.place,
                f"its embeddings have {count_of(matrix.shape[1], 'dimension')}, those of "
                f"{self._place.path or self._place} have {self._width[0]}",
                "embed both with the same encoder",
            )
        return matrix if self.scale is None else self.scale.of(matrix)


def _parts(evidence: Vectors, centre: FloatVector | None) -> Iterator[Single]:
    """The matrix in parts, so that one that is mapped need not be in memory."""
    if not isinstance(evidence.matrix, np.memmap) or evidence.matrix.ndim != 2:
        yield _single(evidence.matrix, evidence.place, centre)
        return
    for part in blocks(len(evidence.matrix)):
        with naming_rows(evidence.place, part.start):
            rows = _single(evidence.matrix[part], evidence.place, centre)
        yield rows


def _other_form(evidence: Evidence, place: Place) -> InvalidInput:
    kinds = {Vectors: "embeddings", Columns: "columns of a table", Texts: "texts"}
    return InvalidInput(
        evidence.place,
        f"it holds {kinds[type(evidence)]}, unlike {place.path or place}",
        "give both in the same form",
    )


@dataclass(frozen=True, eq=False)
class _TableEncoder:
    """mean and deviation of each column of numbers; the values of each column of text that become 0 and 1."""

    place: Place
    numbers: dict[str, tuple[float, float]]
    levels: dict[str, list[str]]

    @classmethod
    def of(cls, evidence: Columns) -> "_TableEncoder":
        numbers, levels = {}, {}
        for column in evidence.columns:
            place = replace(evidence.place, column=column.name)
            _refuse_unusable(column, place)
            if column.kind == "text":
                levels[column.name] = sorted({value for value in column.values if value is not None})
            elif evidence.scaling == "standard":
                with np.errstate(over="ignore", invalid="ignore"):
                    mean, deviation = float(np.mean(column.values)), float(np.std(column.values))
                if not math.isfinite(deviation):
                    raise _too_large(column.values, place)
                numbers[column.name] = mean, deviation if deviation > 1e-12 * abs(mean) else 1.0
            else:
                centre = centre_of(column.values[:, None])
                numbers[column.name] = 0.0 if centre is None else float(centre[0]), 1.0
        if not numbers and not levels:
            raise InvalidInput(
                evidence.place,
                "there are no columns to judge the rows by",
                f"name some with {_argument(evidence.place, 'features')}",
            )
        return cls(evidence.place, numbers, levels)

    def __call__(self, evidence: Evidence) -> Single:
        if not isinstance(evidence, Columns):
            raise _other_form(evidence, self.place)
        given = {column.name: column for column in evidence.columns}
        missing = [name for name in (*self.numbers, *self.levels) if name not in given]
        if missing:
            raise InvalidInput(
                evidence.place, f"some columns are not there ({first_three(missing)})", "give the same columns in both"
            )
        n = len(next(iter(given.values())).values)
        matrix = np.empty((n, len(self.numbers) + sum(map(len, self.levels.values()))), dtype=np.float32)
        for place, (name, (mean, deviation)) in enumerate(self.numbers.items()):
            _refuse_unusable(given[name], replace(evidence.place, column=name), "number")
            found = (given[name].values - mean) / deviation
            if np.abs(found).max(initial=0) > _LARGEST:
                raise _too_large(given[name].values, replace(evidence.place, column=name))
            matrix[:, place] = found
        place = len(self.numbers)
        for name, levels in self.levels.items():
            _refuse_unusable(given[name], replace(evidence.place, column=name), "text")
            for level in levels:
                matrix[:, place] = [value == level for value in given[name].values]
                place += 1
        return _single(matrix, evidence.place)


def _refuse_unusable(column: Column, place: Place, expected: str | None = None) -> None:
    """Raises InvalidInput for a column that has no place in a matrix."""
    leave = _without(place)
    if column.is_empty:
        raise InvalidInput(place, "there is no value in it", f"fill it in, or leave it out: {leave}")
    if column.kind == "date":
        raise InvalidInput(place, "dates are not used", f"leave it out: {leave}")
    if column.kind == "other":
        raise InvalidInput(place, "neither numbers nor text", f"leave it out: {leave}")
    if expected is not None and column.kind != expected:
        raise InvalidInput(
            place, f"{column.kind} where the rows to rank have {expected}", "give the same columns in both"
        )
    if column.kind == "number":
        bad = np.flatnonzero(~np.isfinite(column.values))
        if len(bad):
            value = column.values[bad[0]]
            found = "there is no number" if math.isnan(value) else f"{value} is not finite"
            fix = f"fill it in, or leave the column out: {leave}"
            raise InvalidInput(replace(place, row=int(bad[0])), found, fix)
    elif expected is None and not column.is_category:
        _refuse_text_among_numbers(column, place)
        refuse_odd_numbers(column, place)
        raise InvalidInput(
            place,
            f"{column.levels} different texts are too many for a category",
            f"leave it out: {leave}; or judge the rows by it: {_argument(place, 'text')}={column.name}",
        )


def _argument(place: Place, name: str) -> str:
    """How the user of the command names an argument, or else the one who gave data in memory."""
    if place.path is None:
        return name
    return {"text": "--text-column"}.get(name, f"--{name}")


def _without(place: Place) -> str:
    return f"{_argument(place, 'features')}=… without {place.column}"


def _too_large(values: Any, place: Place) -> InvalidInput:
    row = int(np.argmax(np.abs(values)))
    fix = f"scale the column down, or leave it out: {_without(place)}"
    return InvalidInput(replace(place, row=row), f"{values[row]:.3g} is too large, since its square overflows", fix)


def _refuse_text_among_numbers(column: Column, place: Place) -> None:
    """Raises InvalidInput for the first text in a column that mostly holds numbers."""
    given = [(row, value) for row, value in enumerate(column.values) if value is not None]
    texts = [(row, value) for row, value in given if not NUMBER.fullmatch(value)]
    if texts and len(texts) <= len(given) // 2:
        row, value = texts[0]
        raise InvalidInput(
            replace(place, row=row),
            f"{value[:60]!r} where most rows have numbers ({first_three([row for row, _ in texts])})",
            f"correct it, or leave the column out: {_without(place)}",
        )


def refuse_odd_numbers(column: Column, place: Place) -> None:
    """Raises InvalidInput for the first number with separators or a unit, in a column of such numbers."""
    given = [(row, value) for row, value in enumerate(column.values) if value is not None]
    odd = [(row, value) for row, value in given if _ODD_NUMBER.fullmatch(value) and not NUMBER.fullmatch(value)]
    plain = sum(bool(NUMBER.fullmatch(value)) for _, value in given)
    if odd and 2 * (len(odd) + plain) > len(given):
        decimal = [(row, value) for row, value in odd if _DECIMAL_COMMA.fullmatch(value)]
        row, value = (decimal or odd)[0]
        raise InvalidInput(
            replace(place, row=row),
            f"{value!r} is a number with {'a decimal comma' if decimal else 'separators or a unit'}",
            f"write it like 1234.5, or leave the column out: {_without(place)}",
        )


class _TextEncoder:
    """Hashed character 3- to 5-grams inside words with TF-IDF weights, projected to their main directions (LSA).

    The projection is learned from the rows to rank.
    """

    def __init__(self, evidence: Texts) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfTransformer

        from cleaning.vectors.ngrams import character_ngrams

        self._place = evidence.place
        texts = self._checked(evidence)
        self._hashed = character_ngrams(_BUCKETS)
        counts = self._hashed.transform(texts)
        if not counts.nnz:
            raise InvalidInput(
                evidence.place, "the texts are empty", f"name another column with {_argument(evidence.place, 'text')}"
            )
        self._used = np.unique(counts.indices)  # of the other buckets the projection is 0
        directions = max(1, min(_DIRECTIONS, len(texts) - 1, len(self._used) - 1))
        self._weights = TfidfTransformer(sublinear_tf=True).fit(counts)
        self._projection = TruncatedSVD(directions, random_state=0).fit(self._weights.transform(counts)[:, self._used])

    def __call__(self, evidence: Evidence) -> Single:
        if not isinstance(evidence, Texts):
            raise _other_form(evidence, self._place)
        projected = self._projection.transform(self._weighted(self._checked(evidence)))
        return _single(np.asarray(projected, np.float32), evidence.place)

    def _weighted(self, texts: list[str]) -> Any:
        return self._weights.transform(self._hashed.transform(texts))[:, self._used]

    @staticmethod
    def _checked(evidence: Texts) -> list[str]:
        for row, text in enumerate(evidence.texts):
            if not isinstance(text, str):
                found = "there is no text" if text is None else f"{type(text).__name__} where text is expected"
                raise InvalidInput(replace(evidence.place, row=row), found, "fill it in, or drop the row")
        return [str(text) for text in evidence.texts]


def contents(evidence: Evidence) -> Iterator[bytes]:
    """What each row says, as bytes that are the same for the same values: for telling whether a row has changed.

    The order of the columns of a table does not count.
    """
    if isinstance(evidence, Texts):
        yield from (str(text).encode("utf-8", "surrogatepass") for text in evidence.texts)
    elif isinstance(evidence, Vectors):
        for part in blocks(len(evidence.matrix)):  # since a matrix in a file may be there column after column
            yield from (row.tobytes() for row in np.ascontiguousarray(evidence.matrix[part]))
    else:
        columns = sorted(evidence.columns, key=lambda column: column.name)
        numbers = [column.values for column in columns if column.kind == "number"]
        texts = [column.values for column in columns if column.kind == "text"]
        n = len(evidence.columns[0].values)
        for part in blocks(n):
            rows = (
                np.stack([values[part] for values in numbers], axis=1)
                if numbers
                else np.empty((part.stop - part.start, 0))
            )
            for offset, row in enumerate(rows):
                yield row.tobytes() + repr([values[part.start + offset] for values in texts]).encode()
