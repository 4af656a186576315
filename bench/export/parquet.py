"""Apache Parquet: the columns of csv with types and nulls; the run is in the file's metadata."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from bench.errors import RequirementError
from bench.export.columns import COLUMNS, Kind, cells

if TYPE_CHECKING:
    from bench.export.figures import Content

METADATA = ("schema", "run", "host", "environments")  # parts of latest.json, as JSON


def data(content: Content) -> bytes:
    """The whole file.

    Raises:
        RequirementError: pyarrow isn't installed.
    """
    try:
        # Only here: an environment that measures doesn't have it.
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise RequirementError(
            "parquet needs pyarrow, which this environment doesn't have:"
            " `nox -s export -- parquet --output FILE` installs it into one of its own"
        ) from error
    types = {Kind.TEXT: pa.string(), Kind.WHOLE: pa.int64(), Kind.NUMBER: pa.float64()}
    schema = pa.schema(
        [pa.field(column.name, types[column.kind]) for column in COLUMNS],
        metadata={
            f"fastapi_matrix.{part}": json.dumps(content[part], ensure_ascii=False)
            for part in METADATA
        },
    )
    rows = list(cells(content))
    arrays = [
        pa.array([row[at] for row in rows], type=field.type) for at, field in enumerate(schema)
    ]
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), out, compression="zstd")
    return out.getvalue()
