"""API schemas of the report on a version: its metrics, and what it gets wrong."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.catalog.box_schemas import FruitBox
from api.model.manifest import DataFingerprint

FigureName = Literal[
    "sources", "source", "near", "test", "folds", "phone_fruit", "phone_edible", "supplied"
]


class Figure(BaseModel):
    """A metric, with the data it was measured on."""

    name: FigureName = Field(
        description="Kind of metric. If several sources were left out, each is a `source`."
    )
    title: str
    value: float = Field(description="Value as a share, 0 to 1.")
    low: float | None = Field(
        description="Lower bound of the 95 % confidence interval; null if not measured."
    )
    high: float | None = Field(
        description="Upper bound of the 95 % confidence interval; null if not measured."
    )
    counts: str = Field(description='What was counted, for example "520 files of 215 photos".')
    split: str = Field(description="How the photos were held out, in words.")
    measures: Literal["version", "recipe"] = Field(
        description="version: this version itself; recipe: graders made by the shipped recipe."
    )
    leaks: bool = Field(description="Whether the training data contained copies of test photos.")


class Trial(BaseModel):
    """One architecture at one input size; all were measured in the same way."""

    architecture: str
    input_size: int
    weights: str
    wanted_weights: str | None = None
    training: str
    accuracy: float
    accuracy_interval_95: tuple[float, float]
    macro_f1: float
    parameters: int
    megabytes: float
    milliseconds: float


class ArchitectureComparison(BaseModel):
    """Comparison of network architectures, and of one architecture at several input sizes."""

    split: str
    latency: str = Field(description="How latency was measured.")
    data: DataFingerprint
    architectures: list[Trial]
    input_sizes: list[Trial]


class KeptVersion(BaseModel):
    """Accuracy of a version on the photos held out of the version reported on."""

    version: str
    created_at: datetime
    accuracy: float = Field(
        description="Share of the photos with the correct class, 0 to 1. Photos of a class that "
        "the version does not know count as wrong."
    )
    accuracy_of_newest: float | None = Field(
        default=None,
        description="Accuracy of the version reported on, on the same photos, 0 to 1; null if the "
        "run did not measure it.",
    )
    photographs: int = Field(
        description="Number of photos: all that were held out or, for a version with another "
        "network, up to 500 of them that are in the catalog."
    )


class Report(BaseModel):
    """Metrics of a version, with their data and splits."""

    version: str
    architecture: str
    figures: list[Figure] = Field(
        description="Metrics: sources left out of training first, leaking splits last."
    )
    recipe_data: DataFingerprint | None = Field(
        description="Data that the recipe was measured on; null if it was not measured."
    )
    same_data: bool = Field(
        description="Whether the version was made from the photos that the recipe was measured on."
    )
    comparison: ArchitectureComparison | None
    kept_versions: list[KeptVersion] = Field(
        description="Accuracy of this version and of those kept when it was made, on the photos "
        "held out of this one, newest first: what it costs to keep an older version. Empty if no "
        "run on this service made the version."
    )
    story: str


class CatalogPhoto(BaseModel):
    """A photo that is still in the catalog: an image or a boxed photo."""

    image_id: str | None = Field(description="ID in `/dataset/images`; null for a boxed photo.")
    boxed_photo_id: str | None = Field(
        description="ID in `/dataset/boxed-photos`; null for an image."
    )
    filename: str
    width: int
    height: int


class Mistake(BaseModel):
    """A held-out photo, or one boxed fruit on it, that the version grades wrongly."""

    class_name: str = Field(description="Label when the version was made.")
    predicted_class: str
    confidence: float
    photograph: str = Field(description="ID of the group of files that show the same photo.")
    source: str
    photo: CatalogPhoto | None = Field(
        description="Photo in the catalog; null if the catalog has no picture of it."
    )
    box: FruitBox | None = Field(
        description="Box of the fruit, in pixels of the photo; null for a whole photo."
    )


class Miss(BaseModel):
    """A held-out photo with missed fruits, or with boxes where there is no fruit."""

    file: str
    source: str
    fruits: int
    missed: int
    surplus: int
    photo: CatalogPhoto | None = Field(
        description="Photo in the catalog; null if the catalog has no picture of it."
    )
    missed_boxes: list[FruitBox] = Field(
        description="Boxes of the missed fruits, in pixels of the photo; empty if the catalog has "
        "no picture."
    )
    surplus_boxes: list[FruitBox] = Field(
        description="Boxes where there is no fruit, in pixels of the photo; empty if the catalog "
        "has no picture."
    )


class Mistakes(BaseModel):
    """Held-out photos that a version grades wrongly."""

    version: str
    held_out: int = Field(
        description="Number of held-out photos and boxed fruits that the version is measured on."
    )
    wrong: int = Field(
        description="Number of held-out photos and boxed fruits that the version grades wrongly."
    )
    wrong_with_photo: int = Field(
        description="Number of wrongly graded photos and boxed fruits whose photo is in the "
        "catalog."
    )
    mistakes: list[Mistake] = Field(
        description="Mistakes: those with a photo first, then by descending confidence."
    )
    misses: list[Miss] = Field(
        description="Photos with the most errors of the detector, measured when the version was "
        "made."
    )
