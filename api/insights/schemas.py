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
    ratio: float = Field(description="The largest class over the smallest.")
    story: str


class FruitFreshness(BaseModel):
    fruit: str
    fresh: int
    rotten: int


class Freshness(BaseModel):
    fresh: int
    rotten: int
    other: int = Field(description="Examples of classes that say nothing of freshness.")
    by_fruit: list[FruitFreshness]
    story: str


class Quantiles(BaseModel):
    """The 5th, 25th, 50th, 75th and 95th percentile."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


class ClassAppearance(BaseModel):
    class_name: str
    examples: int
    brightness: Quantiles = Field(description="0 to 1, without the white background.")
    saturation: Quantiles = Field(description="0 to 1.")
    hue: Quantiles = Field(
        description="Degrees, 0 red, 60 yellow, 120 green; may go below 0 or over 360, so that "
        "reds stay together."
    )


class Appearance(BaseModel):
    measured: int
    not_measured: int
    by_class: list[ClassAppearance]
    story: str


class Size(BaseModel):
    """Pictures of about this size, in pixels."""

    width: int
    height: int
    examples: int


class Sizes(BaseModel):
    measured: int
    not_measured: int
    width: Quantiles | None
    height: Quantiles | None
    input_size: int = Field(description="Side of what the network sees, in pixels.")
    smaller: int = Field(description="Pictures with a side shorter than that.")
    sizes: list[Size] = Field(description="Sizes within about a tenth of each other together.")
    story: str


class CopyCount(BaseModel):
    copies: int
    photographs: int


class LeakIfDealtByFile(BaseModel):
    """What to expect had files been dealt at random, and not photos."""

    test_share: float
    test_photographs: float
    also_in_train: float
    share: float


class Copies(BaseModel):
    """Files that show the same photo. Boxed fruits do not count."""

    photographs: int
    files: int
    with_copies: int
    most: int
    known: bool = Field(description="Whether the number of files is known for every photo.")
    histogram: list[CopyCount]
    in_two_splits: int = Field(description="Photos with files in more than one split; none.")
    leak: LeakIfDealtByFile | None
    story: str


class DatasetInsights(BaseModel):
    """Today's data: what the serving version learned from and was measured on, and the catalog.

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
    image_id: str | None = Field(description="Null where the catalog has no picture of it.")


class EmbeddingMap(BaseModel):
    """The first two principal components of the embeddings (PCA)."""

    model_version: str
    total: int = Field(description="Number of examples.")
    left_out: int = Field(description="New images that the model has not embedded yet.")
    unreadable: list[str] = Field(description="Ids of those of them whose files cannot be read.")
    explained: tuple[float, float] = Field(
        description="Share of the variance explained by each axis."
    )
    points: list[Point] = Field(description="All, or `limit` of them drawn evenly.")
    story: str


class View(BaseModel):
    picture: str = Field(description="A JPEG as a data URI, as the network sees it.")
    predicted_class: str
    confidence: float
    freshness_score: float | None


class Augmentation(BaseModel):
    """One photo, and augmented views of it."""

    model_version: str
    image_id: str | None
    class_name: str | None = Field(description="The label that the photo has, if any.")
    seed: int
    freshness: FreshnessOfClass | None
    original: View
    views: list[View]
    story: str


FigureName = Literal[
    "sources", "source", "near", "test", "folds", "phone_fruit", "phone_edible", "supplied"
]


class Figure(BaseModel):
    """A metric, with what it was measured on."""

    name: FigureName = Field(description="Of several sources left out, each is a `source`.")
    title: str
    value: float = Field(description="A share, 0 to 1.")
    low: float | None = Field(description="Of the 95 % interval.")
    high: float | None
    counts: str = Field(description='What is counted: "520 files of 215 photos".')
    split: str = Field(description="How the photos were held out, in words.")
    measures: Literal["version", "recipe"] = Field(
        description="This version itself, or graders made by its recipe as shipped."
    )
    leaks: bool = Field(description="Whether copies of what it was tested on were learned from.")


class Trial(BaseModel):
    """One architecture at one input size, measured as all the others."""

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
    """The networks compared, and one of them at several input sizes."""

    split: str
    latency: str = Field(description="How latency was measured.")
    data: DataFingerprint
    architectures: list[Trial]
    input_sizes: list[Trial]


class KeptVersion(BaseModel):
    """A version on photos that were held out of the one reported on."""

    version: str
    created_at: datetime
    accuracy: float = Field(
        description="The share of them with the right class, 0 to 1. A class that the version "
        "does not know is wrong."
    )
    accuracy_of_newest: float | None = Field(
        default=None,
        description="The share that the version reported on gets right of the same photos; null "
        "if the run did not measure it.",
    )
    photographs: int = Field(
        description="How many there are: all that were held out, or for a version with another "
        "network those of the catalog, at most 500."
    )


class Report(BaseModel):
    """The metrics of a version, with their data and splits."""

    version: str
    architecture: str
    figures: list[Figure] = Field(description="Left-out sources first, leaking splits last.")
    recipe_data: DataFingerprint | None = Field(description="What the recipe was measured on.")
    same_data: bool = Field(description="Whether the version was made from the same photos.")
    comparison: ArchitectureComparison | None
    kept_versions: list[KeptVersion] = Field(
        description="What waiting costs: this version and those that were kept when it was made, "
        "on photos held out of this one, the newest first. A version that no run made here has "
        "none."
    )
    story: str


class CatalogPhoto(BaseModel):
    """A photo that the catalog still has: an image, or a photo with boxes."""

    image_id: str | None = Field(description="Of `/dataset/images`; null for a boxed photo.")
    boxed_photo_id: str | None = Field(description="Of `/dataset/boxed-photos`, likewise.")
    filename: str
    width: int
    height: int


class Mistake(BaseModel):
    """A held-out photo, or one boxed fruit of it, that a version grades wrongly."""

    class_name: str = Field(description="Its label when the version was made.")
    predicted_class: str
    confidence: float
    photograph: str = Field(description="The group of files that show the same photo.")
    source: str
    photo: CatalogPhoto | None = Field(description="Null where the catalog has no picture of it.")
    box: FruitBox | None = Field(description="In pixels of the photo; null for a whole photo.")


class Miss(BaseModel):
    """A held-out photo with fruits that were missed, or boxes around no fruit."""

    file: str
    source: str
    fruits: int
    missed: int
    surplus: int
    photo: CatalogPhoto | None = Field(description="Null where the catalog has no picture of it.")
    missed_boxes: list[FruitBox] = Field(description="In pixels of the photo; empty without one.")
    surplus_boxes: list[FruitBox] = Field(description="Likewise.")


class Mistakes(BaseModel):
    """What a version gets wrong of the photos that were held out of it."""

    version: str
    held_out: int = Field(description="How many photos and boxed fruits it is measured by.")
    wrong: int = Field(description="How many of these it grades wrongly.")
    wrong_with_photo: int = Field(description="Of how many of these the catalog has the photo.")
    mistakes: list[Mistake] = Field(
        description="Those with a photo first, then by confidence, the highest first."
    )
    misses: list[Miss] = Field(
        description="The worst photos for its detector, as measured when it was made."
    )
