"""A small dataset with a column of each type, and the job documents on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from service.datasets.formats import ParsedDataset, parse_arrays, parse_rows
from service.datasets.profile import profile_columns
from service.store.datasets import DatasetRow

KINDS = ("ash", "elm", "oak")
ROWS = [
    {
        "length": number / 2,
        "lobes": number % 7,
        "kind": KINDS[number % 3],
        "old": number % 2 == 0,
        "note": f"leaf number {number} of the long walk",
        "area": number * number / 4,
        "damaged": None if number == 5 else number % 4,
    }
    for number in range(60)
]
ARRAYS = {
    "image": np.arange(60 * 16).reshape(60, 4, 4, 1).tolist(),
    "mask": (np.arange(60 * 16).reshape(60, 16) % 2).tolist(),
    "label": [number % 3 for number in range(60)],
}
FEATURES = ["length", "lobes", "old"]


def dense(*units: int, **last: Any) -> dict[str, Any]:
    """A network of dense layers; what else is given goes to the last one."""
    layers: list[dict[str, Any]] = [{"type": "dense", "units": each} for each in units]
    layers[-1] |= last
    return {"layers": layers}


def job(dataset_id: str = "ds_1", **given: Any) -> dict[str, Any]:
    """A classification of the kind; a field that is given as None is left out."""
    document = {
        "dataset_id": dataset_id,
        "target": "kind",
        "features": {"include": FEATURES},
        "network": dense(3),
    }
    return {key: value for key, value in (document | given).items() if value is not None}


def dataset_row(parsed: ParsedDataset) -> DatasetRow:
    """The row of a dataset that is stored nowhere."""
    columns = profile_columns(parsed.columns, parsed.schema)
    return DatasetRow(id="ds_1", name="leaves", rows=parsed.rows, columns=columns)


def table(rows: list[dict[str, Any]] = ROWS) -> DatasetRow:
    """The dataset of these rows."""
    return dataset_row(parse_rows(rows))


def arrays(given: dict[str, Any] = ARRAYS) -> DatasetRow:
    """The dataset of these arrays."""
    return dataset_row(parse_arrays(given))
