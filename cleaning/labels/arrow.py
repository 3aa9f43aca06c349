"""DataFrames and columns of any library, by the Arrow C stream interface that they have in common.

The interface: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
"""

from typing import Any

import pandas as pd

from cleaning.errors import InvalidInput


def pandas_of(data: Any, what: str) -> Any:
    """A DataFrame of any library as one of pandas; everything else as it is.

    what: the name of the argument, for errors. Raises InvalidInput for a query that was not run yet.
    """
    if isinstance(data, pd.DataFrame | pd.Series):
        return data
    if hasattr(data, "to_pandas"):
        return data.to_pandas()
    if hasattr(data, "__arrow_c_stream__") and not hasattr(data, "__array__"):
        import pyarrow as pa

        return pa.table(data).to_pandas()
    if hasattr(data, "collect_schema"):
        raise InvalidInput(what, f"{type(data).__name__} is a query that was not run yet", "call .collect() first")
    return data


def listed(column: Any) -> list[Any]:
    """A column with an Arrow stream as Python values: whole numbers stay whole where some are missing."""
    import pyarrow as pa

    return list(pa.chunked_array(column).to_pylist())
