"""pyarrow: reads files and takes columns apart in C++. Only imported here; it has no types, hence `Any`."""

from typing import Any

from models.errors import RefuseToStart

try:
    import pyarrow as pa
    from pyarrow import compute as _compute
    from pyarrow import csv as _csv
    from pyarrow import json as _json
    from pyarrow import parquet as _parquet
except ImportError as error:
    raise RefuseToStart(
        "Reading files of readings needs pyarrow, which is not installed: pip install 'thuiswacht[offline]'"
    ) from error

arrow: Any = pa
compute: Any = _compute
csv: Any = _csv
json: Any = _json
parquet: Any = _parquet
