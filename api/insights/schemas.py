"""API schemas of insights and reports. A `story` explains the numbers in plain words."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.catalog.box_schemas import FruitBox
from api.core.labels import Freshness as FreshnessOfClass
from api.core.splits import Split
from api.insights.current_examples import Source
from api.model.manifest import DataFingerprint


class Count(BaseModel):
    class_name: str
    split: Split
    origin: Source
    examples: int


class Balance(BaseModel):
    largest: str
    largest_examples: int
    smallest: str
    smallest_examples: int
    ratio: float = Field(description="Size of the largest class divided by that of the smallest.")
    story: str


class FruitFreshness(BaseModel):
    fruit: str
    fresh: int
    rotten: int


class Freshness(BaseModel):
    fresh: int
    rotten: int
    other: int = Field(description="Number of examples whose class says nothing about freshness.")
    by_fruit: list[FruitFreshness]
    story: str


class Quantiles(BaseModel):
    """The 5th, 25th, 50th, 75th and 95th percentiles."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


class ClassAppearance(BaseModel):
    class_name: str
    examples: int
    brightness: Quantiles = Field(
        description="Brightness from 0 to 1, without the white background."
    )
    saturation: Quantiles = Field(description="Saturation from 0 to 1.")
    hue: Quantiles = Field(
        description="Hue in degrees: 0 is red, 60 yellow, 120 green. Values may be below 0 or "
        "above 360, so that reds stay together."
    )


class Appearance(BaseModel):
    measured: int
    not_measured: int
    by_class: list[ClassAppearance]
    story: str


class Size(BaseModel):
    """A group of pictures of about this size, in pixels."""

    width: int
    height: int
    examples: int


class Sizes(BaseModel):
    measured: int
    not_measured: int
    width: Quantiles | None
    height: Quantiles | None
    input_size: int = Field(description="Side length of the network's input, in pixels.")
    smaller: int = Field(description="Number of pictures with a side shorter than `input_size`.")
    sizes: list[Size] = Field(
        description="Pictures grouped by size; sizes within about 10 % of each other form one "
        "group."
    )
    story: str


class CopyCount(BaseModel):
    copies: int
    photographs: int


class LeakIfDealtByFile(BaseModel):
    """Expected leak if files, instead of photos, had been assigned to splits at random."""

    test_share: float
    test_photographs: float
    also_in_train: float
    share: float


class Copies(BaseModel):
    """Files that show the same photo. Boxed fruits are not counted."""

    photographs: int
    files: int
    with_copies: int
    most: int
    known: bool = Field(description="Whether the number of files is known for every photo.")
    histogram: list[CopyCount]
    in_two_splits: int = Field(
        description="Number of photos with files in more than one split; 0 by design."
    )
    leak: LeakIfDealtByFile | None
    story: str


class DatasetInsights(BaseModel):
    """The data at present: the training and test photos of the current version, and the catalog.

    An example is one photo, or one boxed fruit on a photo.
    """

    model_version: str
    examples: int
    from_catalog: int
    counts: list[Count]
    balance: Balance | None
    freshness: Freshness | None
    appearance: Appearance
    sizes: Sizes
    copies: Copies


class Point(BaseModel):
    x: float
    y: float
    class_name: str
    split: Split
    origin: Source
    photograph: str
    image_id: str | None = Field(
        description="ID of the image; null if the catalog has no picture of it."
    )


class EmbeddingMap(BaseModel):
    """The first two principal components (PCA) of the embeddings."""

    model_version: str
    total: int = Field(description="Number of examples.")
    left_out: int = Field(description="Number of new images that have not been embedded yet.")
    unreadable: list[str] = Field(description="IDs of new images whose files cannot be read.")
    explained: tuple[float, float] = Field(
        description="Share of variance explained by each axis, 0 to 1."
    )
    points: list[Point] = Field(description="All examples, or `limit` of them drawn evenly.")
    story: str


class View(BaseModel):
    picture: str = Field(description="The picture as the network sees it, as a JPEG data URI.")
    predicted_class: str
    confidence: float
    freshness_score: float | None


class Augmentation(BaseModel):
    """One photo and augmented views of it."""

    model_version: str
    image_id: str | None
    class_name: str | None = Field(description="Class of the photo; null if it has none.")
    seed: int
    freshness: FreshnessOfClass | None
    original: View
    views: list[View]
    story: str


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
