"""What a run leaves out so that it need not fail: classes that are too small to learn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Different photos that a class needs, in all and in the train split. Fewer could not be checked.
MIN_PER_CLASS = 8
MIN_TRAIN_PER_CLASS = 2


@dataclass
class Omissions:
    """Filled in while the run works.

    `classes`: too small to learn, with their numbers of different photos.
    """

    classes: dict[str, int] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, Any]:
        """For the stored verdict, JSON-ready."""
        return {"left_out_classes": dict(sorted(self.classes.items()))}


def describe_omissions(figures: Mapping[str, Any]) -> str:
    """Sentences on the `Omissions.figures` of a verdict; empty if nothing was left out."""
    return describe_left_out(figures.get("left_out_classes", {}))


def describe_left_out(classes: Mapping[str, int]) -> str:
    """A sentence on `Omissions.classes`; empty for none."""
    if not classes:
        return ""
    named = ", ".join(f"{name} ({count})" for name, count in classes.items())
    return (
        f"Left out, with too few different photos: {named}. A class needs at least "
        f"{MIN_PER_CLASS}, and {MIN_TRAIN_PER_CLASS} of them in the train split."
    )
