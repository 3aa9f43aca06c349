"""`fixfirst.rank`: which labels of an array or a DataFrame to fix first."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cleaning.data import FloatMatrix, Split
from cleaning.errors import InvalidInput, Place
from cleaning.labels.classes import Labels, joined
from cleaning.labels.evidence import Scaling, encoder_of
from cleaning.labels.frames import Choice, Given, given_rows, trusted_rows
from cleaning.labels.predicted import predicted_by_class
from cleaning.labels.ranked import rank_rows
from cleaning.labels.suspects import Suspects
from cleaning.labels.votes import Votes


def rank(
    data: Any,
    labels: Any = None,
    *,
    votes: Any = None,
    trusted: Any = None,
    label: str | Sequence[str] | None = None,
    id: str | None = None,  # noqa: A002 - named like the other columns
    features: Sequence[str] | None = None,
    embeddings: str | None = None,
    text: str | None = None,
    scaling: Scaling | None = None,
    classes: bool = False,
    probabilities: Any = None,
    trusted_probabilities: Any = None,
    pictures: Sequence[bytes] | Callable[[int], bytes | None] | None = None,
    seed: int = 0,
) -> Suspects:
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
    id : str, optional
        The column with a different id in every row. Default: a column that is named like ids (`id`, `filename`, …), or
        else the index. The rows are not judged by it.
    features : sequence of str, optional
        The columns to judge the rows by. Default: all others that have a value in some row and do not look like another
        label. Numbers are standardised; text of few values becomes 0 and 1.
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
    3      3            8                3
    250  250            8                4
    >>> corrected = found.decide([3, 250], [3, 4]).apply(labels)
    """
    choice, alone = Choice(label, id, features, embeddings, text, scaling, classes), data is None
    if alone:
        data, trusted = _rows_of_model(probabilities, trusted, trusted_probabilities)
    given = given_rows(data, labels, choice, "data", votes)
    checked = None if trusted is None else trusted_rows(trusted, choice, given)
    known, said = _with_names_of(given, checked)
    encode = encoder_of(given.evidence)
    own = _predicted(probabilities, given, known.names, "probabilities")
    matrix, split, others = own if alone and own is not None else encode(given.evidence), None, None
    if checked is not None:
        rows = np.flatnonzero(checked.labels.codes >= 0)
        others = _predicted(trusted_probabilities, checked, known.names, "trusted_probabilities")
        others = None if others is None else others[rows]
        right = others if alone and others is not None else encode(checked.evidence)[rows]
        ids = tuple(checked.ids[row] for row in rows.tolist())
        split = Split(right, checked.labels.renumbered(known.names)[rows], ids)
    votes = None if said is None else said.codes
    ranked = rank_rows(
        matrix, known.codes, given.ids, split, seed=seed, probabilities=own, trusted_probabilities=others, votes=votes
    )
    return Suspects(ranked, known, given, pictures, said)


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
