"""The second table of bulk scoring: one row per fruit, by photo and then by the detector's score.

| column | content |
| --- | --- |
| `path` | of the photo, as in the first table |
| `instance` | 0 for the fruit of the photo with the highest score, then 1 and so on |
| `width`, `height` | of the upright photo, in pixels |
| `x_min`, `y_min`, `x_max`, `y_max` | the box, in whole pixels of the upright photo |
| `score` | how sure the detector is, 0 to 1 |
| `fruit` | such as `apple` |
| `class` to `recognised`, `model_version`, `probability_<class>` | as in the first table |

Until the job is complete, the fruits are a nested column of the photos' rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from api.commands.bulk.output import GRADE_FIELDS, grade_columns, probability_fields
from api.model.grade import Instances

COLUMN = "instances"
_PLACE = (
    *(pa.field(name, pa.int32()) for name in ("instance", "width", "height")),
    *(pa.field(name, pa.int32()) for name in ("x_min", "y_min", "x_max", "y_max")),
    pa.field("score", pa.float32()),
    pa.field("fruit", pa.string()),
)


def instances_path(out: Path) -> Path:
    """Where the second table is: `grades.instances.csv` beside `grades.csv`."""
    return out.with_name(f"{out.stem}.{COLUMN}{out.suffix}")


def instance_schema(classes: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            *_PLACE,
            *GRADE_FIELDS,
            pa.field("model_version", pa.string(), nullable=False),
            *probability_fields(classes),
        ]
    )


def with_instances(photos: pa.Schema) -> pa.Schema:
    """The schema of photos with the nested column, from that of the first table."""
    probabilities = [field for field in photos if field.name.startswith("probability_")]
    fruit = pa.struct([*_PLACE, *GRADE_FIELDS, *probabilities])
    return photos.append(pa.field(COLUMN, pa.list_(fruit)))


def instance_values(instances: Instances) -> list[dict[str, Any]]:
    """The nested column's value for one photo."""
    return [
        {
            "instance": index,
            "width": instances.width,
            "height": instances.height,
            **fruit.box._asdict(),
            "score": fruit.score,
            "fruit": fruit.grade.fruit,
            **grade_columns(fruit.grade),
        }
        for index, fruit in enumerate(instances.fruits)
    ]


def unnest(photos: pa.Table, columns: pa.Schema) -> pa.Table:
    """The second table's rows, with `columns`, of photos with the nested column."""
    nested = photos[COLUMN].combine_chunks()
    parents = pc.list_parent_indices(nested)
    fruits = pa.Table.from_struct_array(pc.list_flatten(nested))
    for name in ("path", "model_version"):
        fruits = fruits.append_column(name, photos[name].take(parents))
    return fruits.select(columns.names).cast(columns)
