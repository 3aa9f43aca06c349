"""Tables: csv, tsv, parquet and feather files behind one interface; columns are read only when they are needed."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector
from cleaning.errors import InvalidInput, Place, count_of
from evaluation.files.csv import csv_lines, numbers
from evaluation.files.parquet import vectors
from evaluation.files.whole import plain_errors
from evaluation.labels.forms.class_names import class_names_in

Kind = Literal["number", "text", "date", "vector", "picture", "other"]

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".txt": "csv",
}
_SAMPLED = 1000
# So many columns are decoded together.
_TOGETHER = 16
# So many rows of a column of lists are decoded together.
_BATCH = 8192
# Possessive, so that a million digits with a letter behind them take no more time than other text.
_NUMBER = re.compile(r"-?(\d++(\.\d*+)?|\.\d++)([eE][+-]?\d{1,9})?")
_COMMA_NUMBER = re.compile(r"-?\d++(,\d++)?")
# What stands for a missing number in csv files; in columns of text, only an empty cell is a missing value.
_NO_NUMBER = ("", "NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "None")


class Table(ABC):
    """A table of named columns.

    kinds: what each column holds, by name. class_names: of the columns of numbers that stand for classes whose names
    the file gives (Hugging Face). by_column: whether it is stored column by column.
    """

    by_column = False

    def __init__(
        self, path: Path, form: str, rows: int, kinds: Mapping[str, Kind], class_names: Mapping[str, list[str]]
    ) -> None:
        self.path, self.form, self.rows, self.kinds, self.class_names = path, form, rows, kinds, class_names

    @abstractmethod
    def arrow(self, names: Sequence[str]) -> Any:
        """These columns as a pyarrow table."""

    def as_stored(self, names: Sequence[str]) -> Any:
        """These columns as a pyarrow table, with the cells of a text file as they are written."""
        return self.arrow(names)

    @abstractmethod
    def parts(self, names: Sequence[str]) -> Iterator[Any]:
        """The same, some rows at a time, as record batches of pyarrow."""

    def place(self, name: str | None = None, row: int | None = None) -> Place:
        """The place of a column or cell."""
        return Place(self.path, column=name, row=row)

    def values(self, name: str) -> "pd.Series[Any]":
        """A column of numbers or texts; in a text file, as it is written."""
        column = self.as_stored([name])[name]
        with self.converted(name):
            # integers with gaps must not pass through floats, which round the large ones
            found: pd.Series[Any] = column.to_pandas(integer_object_nulls=True)
        return found

    def numbers(self, names: Sequence[str]) -> FloatMatrix:
        """Columns of numbers as one matrix (n, len(names)) in float64; NaN where there is none."""
        matrix, done = np.empty((self.rows, len(names))), 0
        whole = matrix.T if self.by_column else matrix
        for part in self.numbers_by_parts(names) if names else ():
            turned = part.T if self.by_column else part
            whole[done : done + len(turned)] = turned
            done += len(turned)
        return matrix

    @abstractmethod
    def numbers_by_parts(self, names: Sequence[str]) -> Iterator[FloatMatrix]:
        """The same, as parts of which only one has to be in memory: some rows, or some columns if `by_column`."""

    def texts(self, name: str) -> list[str | None]:
        """A column as text; None for a missing value."""
        column = self.as_stored([name])[name]
        with self.converted(name):
            return [None if value is None or value == "" else str(value) for value in column.to_pylist()]

    @contextmanager
    def converted(self, name: str) -> Iterator[None]:
        """Turns what a broken value raises (text that is not UTF-8, a date out of range) into one sentence."""
        import pyarrow as pa

        try:
            yield
        except (ValueError, OverflowError, pa.ArrowException) as error:
            reason = str(error).strip().splitlines()[0][:100]
            raise InvalidInput(self.place(name), f"a value is broken ({reason})", "save the table again") from None

    def vectors(self, name: str) -> FloatMatrix:
        """A column of lists of numbers, (n, d)."""
        return self._vectors(name, self.arrow([name]))

    def vectors_by_parts(self, name: str) -> Iterator[FloatMatrix]:
        """The same, as parts of which only one has to be in memory."""
        yield self.vectors(name)

    def _vectors(self, name: str, table: Any, first: int = 0) -> FloatMatrix:
        """The lists in a part of the table that starts at row `first`."""
        import pyarrow as pa

        kind = table[name].type
        missing = np.flatnonzero(table[name].is_null().to_numpy())
        if len(missing):
            place = self.place(name, first + int(missing[0]))
            raise InvalidInput(place, "there is no value", "fill it in, or drop the row")
        if not pa.types.is_floating(kind.value_type) or pa.types.is_float16(kind.value_type):
            table = table.set_column(0, name, table[name].cast(pa.list_(pa.float64())))
        return vectors(self.path, table, name, first)


class _ArrowTable(Table):
    """parquet: columns are read one by one; feather: memory-mapped."""

    by_column = True

    def __init__(self, path: Path, form: str, rows: int, schema: Any, source: Any) -> None:
        _refuse_repeated(path, schema.names)
        import pyarrow as pa

        kinds = {field.name: _kind(field.type) for field in schema}
        whole = [field.name for field in schema if pa.types.is_integer(field.type)]
        super().__init__(path, form, rows, kinds, class_names_in(path, whole, schema.metadata or {}))
        self._source = source

    def arrow(self, names: Sequence[str]) -> Any:
        with readable(self.path, self.form):
            if self.form == "feather":
                return self._source.select(list(names))
            return self._source.read(columns=list(names), use_threads=False)

    def parts(self, names: Sequence[str]) -> Iterator[Any]:
        with readable(self.path, self.form):
            if self.form == "feather":
                yield from self._source.select(list(names)).to_batches(_BATCH)
            else:
                yield from self._source.iter_batches(_BATCH, columns=list(names), use_threads=False)

    def vectors_by_parts(self, name: str) -> Iterator[FloatMatrix]:
        if self.form == "feather":
            yield self.vectors(name)
            return
        import pyarrow as pa

        first = 0
        with readable(self.path, self.form):
            for batch in self._source.iter_batches(_BATCH, columns=[name], use_threads=False):
                yield self._vectors(name, pa.Table.from_batches([batch]), first)
                first += len(batch)

    def numbers_by_parts(self, names: Sequence[str]) -> Iterator[FloatMatrix]:
        for start in range(0, len(names), _TOGETHER):
            columns = self.arrow(names[start : start + _TOGETHER]).columns
            yield np.stack([_floats(column) for column in columns]).T


class _CsvTable(Table):
    """csv: checked line by line by the strict reader, then parsed by pyarrow. Kinds are guessed from the first rows."""

    def __init__(self, path: Path, form: str) -> None:
        self._delimiter = delimiter_of(path, form)
        lines = _filled_lines(path, self._delimiter)
        _, header = next(lines, (1, list[str]()))
        _refuse_repeated(path, header, line=1)
        sample = [cells for _, cells in islice(lines, _SAMPLED)]
        rows = len(sample) + sum(1 for _ in lines)
        self._comma = self._delimiter == ";" and any(
            "," in cell and _COMMA_NUMBER.fullmatch(cell) for cells in sample for cell in cells
        )
        number = _COMMA_NUMBER if self._comma else _NUMBER
        kinds: dict[str, Kind] = {}
        for place, name in enumerate(header):
            cells = [row[place].strip() for row in sample if row[place].strip() not in _NO_NUMBER]
            kinds[name] = "number" if cells and all(map(number.fullmatch, cells)) else "text"
            if cells and all(cell.startswith("[") and cell.endswith("]") for cell in cells):
                kinds[name] = "vector"
        _refuse_numbers(path, [name for name, kind in kinds.items() if kind == "number"], number)
        super().__init__(path, form, rows, kinds, {})

    def arrow(self, names: Sequence[str]) -> Any:
        import pyarrow as pa

        types = {name: pa.float64() if self.kinds[name] == "number" else pa.string() for name in names}
        return pa.Table.from_batches(self._read(types), pa.schema(types))

    def numbers_by_parts(self, names: Sequence[str]) -> Iterator[FloatMatrix]:
        import pyarrow as pa

        for batch in self._read(dict.fromkeys(names, pa.float64())):
            yield np.stack([_floats(column) for column in batch.columns], axis=1)

    def parts(self, names: Sequence[str]) -> Iterator[Any]:
        import pyarrow as pa

        yield from self._read(dict.fromkeys(names, pa.string()))

    def as_stored(self, names: Sequence[str]) -> Any:
        import pyarrow as pa

        types = dict.fromkeys(names, pa.string())
        return pa.Table.from_batches(self._read(types), pa.schema(types))

    def _read(self, types: Mapping[str, Any]) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import csv

        rows = 0
        try:
            with plain_errors(self.path, "read the file"):
                reader = csv.open_csv(
                    self.path,
                    csv.ReadOptions(use_threads=False),
                    csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
                    csv.ConvertOptions(
                        include_columns=list(types),
                        column_types=dict(types),
                        null_values=list(_NO_NUMBER),
                        strings_can_be_null=False,
                        decimal_point="," if self._comma else ".",
                    ),
                )
                for batch in reader:
                    rows += len(batch)
                    if rows > self.rows:
                        break
                    yield batch
        except pa.ArrowException as error:
            self._refuse_text([name for name, kind in types.items() if pa.types.is_floating(kind)])
            raise InvalidInput(self.path, f"this is not csv ({error})", "save the table again") from error
        if rows != self.rows:
            raise InvalidInput(
                self.path, "it has more or fewer rows, depending on how quotes are read", "save it again"
            )

    def vectors(self, name: str) -> FloatMatrix:
        """A column of lists as people write them: `[1.0, 2.0]` or `[1. 2.]`, (n, d)."""
        rows: list[FloatVector] = []
        for row, text in enumerate(self.texts(name)):
            try:
                rows.append(np.array(numbers((text or "").strip().strip("[]").replace(",", " ").split())))
            except ValueError as error:
                place = self.place(name, row)
                raise InvalidInput(place, f"this is not a list of numbers ({error})", "write [1.0, 2.0, …]") from None
            if len(rows[row]) != len(rows[0]) or not len(rows[0]):
                problem = f"{count_of(len(rows[row]), 'number')} where row 0 has {len(rows[0])}"
                raise InvalidInput(self.place(name, row), problem, "embed every row with the same network")
        return np.stack(rows)

    def _refuse_text(self, names: Sequence[str]) -> None:
        """Raises InvalidInput for the first text in columns that should hold numbers."""
        lines = csv_lines(self.path, self._delimiter)
        _, header = next(lines)
        places = [header.index(name) for name in names]
        number = _COMMA_NUMBER if self._comma else _NUMBER
        for row, (line, cells) in enumerate(lines):
            for place in places:
                if cells[place] not in _NO_NUMBER and not number.fullmatch(cells[place].strip()):
                    others = "the rows above have numbers" if row else "a number is expected"
                    raise InvalidInput(
                        Place(self.path, line=line, column=header[place], row=row),
                        f"{cells[place][:60]!r} where {others}",
                        "correct it, or leave the column out",
                    )


def open_table(path: Path, form: str) -> Table:
    """The table in a file. form: one of the values of SUFFIXES. Raises InvalidInput for any other content."""
    if form in ("csv", "tsv"):
        return _CsvTable(path, form)
    import pyarrow as pa
    import pyarrow.parquet as pq

    with readable(path, form):
        if form == "parquet":
            file = pq.ParquetFile(path)
            table = _ArrowTable(path, form, file.metadata.num_rows, file.schema_arrow, file)
        else:
            mapped = pa.memory_map(str(path))
            try:
                source = pa.ipc.open_file(mapped).read_all()
            except pa.ArrowInvalid:
                mapped.seek(0)
                source = pa.ipc.open_stream(mapped).read_all()
            source.validate(full=True)
            table = _ArrowTable(path, form, source.num_rows, source.schema, source)
    return table


def _floats(column: Any) -> NDArray[np.float64]:
    """A pyarrow column of numbers as float64; NaN where there is none."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return found


def _kind(kind: Any) -> Kind:
    """What a column of this pyarrow type holds."""
    import pyarrow as pa

    is_ = pa.types
    if is_.is_dictionary(kind):
        return _kind(kind.value_type)
    if is_.is_list(kind) or is_.is_large_list(kind) or is_.is_fixed_size_list(kind):
        inner = kind.value_type
        return "vector" if is_.is_floating(inner) or is_.is_integer(inner) else "other"
    if is_.is_binary(kind) or is_.is_large_binary(kind):
        return "picture"
    if is_.is_struct(kind):
        return "picture" if "bytes" in [field.name for field in kind] else "other"
    if is_.is_boolean(kind) or is_.is_integer(kind) or is_.is_floating(kind) or is_.is_decimal(kind):
        return "number"
    if is_.is_string(kind) or is_.is_large_string(kind) or is_.is_string_view(kind) or is_.is_null(kind):
        return "text"
    return "date" if is_.is_temporal(kind) else "other"


@contextmanager
def readable(path: Path, form: str) -> Iterator[None]:
    """Turns what pyarrow raises for a broken file into one sentence."""
    import pyarrow as pa

    try:
        with plain_errors(path, "read the file"):
            yield
    except (pa.ArrowException, UnicodeDecodeError) as error:  # the second for the names of columns
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InvalidInput(path, f"this is not a readable {form} file ({reason})", "save the table again") from error


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """The names that a name stands for, which may end in `*`."""
    return [name for name in names if name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))]


def delimiter_of(path: Path, form: str) -> str:
    """A tab for tsv; for csv what the header shows: a comma, a semicolon, a tab or a vertical bar."""
    if form == "tsv":
        return "\t"
    with plain_errors(path, "read the file"), path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline(1 << 20)
    if header.startswith("sep="):
        raise InvalidInput(Place(path, line=1), f"{header.strip()!r} is for spreadsheets only", "remove this line")
    return next((one for one in (",", ";", "\t", "|") if one in header), ",")


def _filled_lines(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of a csv file. Raises InvalidInput for one with several cells that are all empty."""
    for line, cells in csv_lines(path, delimiter):
        if len(cells) > 1 and not any(cells):
            raise InvalidInput(Place(path, line=line), "all cells are empty", "remove the line")
        yield line, cells


def _refuse_numbers(path: Path, names: Sequence[str], number: re.Pattern[str]) -> None:
    """Raises InvalidInput for names that are numbers, neither all whole nor in order: there is no header."""
    if len(names) > 1 and all(map(number.fullmatch, names)) and not all(map(str.isdecimal, names)):
        found = [float(name.replace(",", ".")) for name in names]
        if sorted(found) not in (found, found[::-1]):
            problem = f"numbers where the names of the columns are expected ({', '.join(names[:3])})"
            raise InvalidInput(Place(path, line=1), problem, "write the names above them")


def _refuse_repeated(path: Path, names: Sequence[str], line: int | None = None) -> None:
    repeated = [name for number, name in enumerate(names) if name in names[:number]]
    if repeated:
        raise InvalidInput(Place(path, line=line), f"two columns are called {repeated[0]!r}", "rename one of them")
