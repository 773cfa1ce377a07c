"""API schemas of insights into the data. A `story` explains the numbers in plain words."""

from pydantic import BaseModel, Field

from api.core.labels import Freshness as FreshnessOfClass
from api.core.splits import Split
from api.insights.current_examples import Source


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
