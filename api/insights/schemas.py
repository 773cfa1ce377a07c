"""API schemas of insights into the data. A `story` explains the numbers in plain words."""

from pydantic import BaseModel, Field

from api.core.labels import Freshness as FreshnessOfClass
from api.core.splits import Split
from api.insights.current_examples import Source


class Count(BaseModel):
    class_name: str
    split: Split
    origin: Source = Field(
        description="shipped: photo that came with the model package; boxed: boxed fruit that came "
        "with it; upload: uploaded photo; feedback or review: photo of a prediction with feedback "
        "or from the review queue."
    )
    examples: int = Field(description="Number of examples of this class, split and origin.")


class Balance(BaseModel):
    largest: str = Field(description="Class with the most examples.")
    largest_examples: int = Field(description="Number of examples of the largest class.")
    smallest: str = Field(description="Class with the fewest examples.")
    smallest_examples: int = Field(description="Number of examples of the smallest class.")
    ratio: float = Field(description="Size of the largest class divided by that of the smallest.")
    story: str = Field(description="What the numbers mean, in English.")


class FruitFreshness(BaseModel):
    fruit: str
    fresh: int = Field(description="Number of examples of fresh or past-best fruit.")
    rotten: int = Field(description="Number of examples of rotten fruit.")


class Freshness(BaseModel):
    fresh: int = Field(description="Number of examples of fresh or past-best fruit.")
    rotten: int = Field(description="Number of examples of rotten fruit.")
    other: int = Field(description="Number of examples whose class says nothing about freshness.")
    by_fruit: list[FruitFreshness] = Field(
        description="Numbers by fruit; fruits without a freshness class are left out."
    )
    story: str = Field(description="What the numbers mean, in English.")


class Quantiles(BaseModel):
    """The 5th, 25th, 50th, 75th and 95th percentiles."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


class ClassAppearance(BaseModel):
    class_name: str
    examples: int = Field(description="Number of measured examples of the class.")
    brightness: Quantiles = Field(
        description="Brightness from 0 to 1, without the white background."
    )
    saturation: Quantiles = Field(description="Saturation from 0 to 1.")
    hue: Quantiles = Field(
        description="Hue in degrees: 0 is red, 60 yellow, 120 green. Values may be below 0 or "
        "above 360, so that reds stay together."
    )


class Appearance(BaseModel):
    measured: int = Field(
        description="Number of examples whose brightness, saturation and hue are known."
    )
    not_measured: int = Field(
        description="Number of examples whose brightness, saturation and hue are unknown."
    )
    by_class: list[ClassAppearance] = Field(
        description="Appearance of the measured examples; classes without one are left out."
    )
    story: str = Field(
        description="What the numbers mean, in English; empty if there is nothing to tell."
    )


class Size(BaseModel):
    """A group of pictures of about this size, in pixels."""

    width: int = Field(description="Median width of the group, in pixels.")
    height: int = Field(description="Median height of the group, in pixels.")
    examples: int = Field(description="Number of pictures in the group.")


class Sizes(BaseModel):
    measured: int = Field(description="Number of examples whose picture size is known.")
    not_measured: int = Field(description="Number of examples whose picture size is unknown.")
    width: Quantiles | None = Field(description="Width in pixels; null if no picture is measured.")
    height: Quantiles | None = Field(
        description="Height in pixels; null if no picture is measured."
    )
    input_size: int = Field(description="Side length of the network's input, in pixels.")
    smaller: int = Field(description="Number of pictures with a side shorter than `input_size`.")
    sizes: list[Size] = Field(
        description="Pictures grouped by size; sizes within about 10 % of each other form one "
        "group."
    )
    story: str = Field(
        description="What the numbers mean, in English; empty if there is nothing to tell."
    )


class CopyCount(BaseModel):
    copies: int = Field(description="Number of files that show the same photo.")
    photographs: int = Field(description="Number of photos with so many files.")


class LeakIfDealtByFile(BaseModel):
    """Expected leak if files, instead of photos, had been assigned to splits at random."""

    test_share: float = Field(
        description="Share of the files that would go to the test split, 0 to 1."
    )
    test_photographs: float = Field(
        description="Expected number of photos with a file in the test split."
    )
    also_in_train: float = Field(
        description="Expected number of those that would have a file outside the test split, too."
    )
    share: float = Field(description="`also_in_train` divided by `test_photographs`, 0 to 1.")


class Copies(BaseModel):
    """Files that show the same photo. Boxed fruits are not counted."""

    photographs: int = Field(description="Number of distinct photos.")
    files: int = Field(description="Number of files, including copies; estimated unless `known`.")
    with_copies: int = Field(
        description="Number of photos with more than one file; a lower bound unless `known`."
    )
    most: int = Field(
        description="Highest number of files of one photo; a lower bound unless `known`."
    )
    known: bool = Field(description="Whether the number of files is known for every photo.")
    histogram: list[CopyCount] = Field(
        description="Number of photos by their number of files; empty unless `known`."
    )
    in_two_splits: int = Field(
        description="Number of photos with files in more than one split; 0 by design."
    )
    leak: LeakIfDealtByFile | None = Field(
        description="Null if the number of files is not known for every photo, or there are no "
        "photos."
    )
    story: str = Field(description="What the numbers mean, in English.")


class DatasetInsights(BaseModel):
    """The data at present: the training and test photos of the current version, and the catalog.

    An example is one photo, or one boxed fruit on a photo.
    """

    model_version: str = Field(description="The current version.")
    examples: int = Field(description="Number of examples of all splits.")
    from_catalog: int = Field(description="Number of examples that are images in the catalog.")
    counts: list[Count] = Field(
        description="Number of examples by class, split and origin; combinations without examples "
        "are left out."
    )
    balance: Balance | None = Field(description="Sizes of the classes; null without examples.")
    freshness: Freshness | None = Field(
        description="Fresh against rotten; null if no class says anything about freshness."
    )
    appearance: Appearance
    sizes: Sizes
    copies: Copies


class Point(BaseModel):
    x: float = Field(description="Coordinate on the first principal component.")
    y: float = Field(description="Coordinate on the second principal component.")
    class_name: str
    split: Split
    origin: Source = Field(description="Where the example comes from, as in `/insights/dataset`.")
    photograph: str = Field(description="ID of the group of files that show the same photo.")
    image_id: str | None = Field(
        description="ID of the image; null if the catalog has no picture of it."
    )


class EmbeddingMap(BaseModel):
    """The first two principal components (PCA) of the embeddings."""

    model_version: str = Field(description="The current version, which computed the embeddings.")
    total: int = Field(description="Number of examples.")
    left_out: int = Field(description="Number of new images that have not been embedded yet.")
    unreadable: list[str] = Field(description="IDs of new images whose files cannot be read.")
    explained: tuple[float, float] = Field(
        description="Share of variance explained by each axis, 0 to 1."
    )
    points: list[Point] = Field(description="All examples, or `limit` of them drawn evenly.")
    story: str = Field(description="What the map shows, in English.")


class View(BaseModel):
    picture: str = Field(description="The picture as the network sees it, as a JPEG data URI.")
    predicted_class: str = Field(
        description="Class that the current version predicts for the picture."
    )
    confidence: float = Field(description="Calibrated probability of the predicted class, 0 to 1.")
    freshness_score: float | None = Field(
        description="Freshness score from 0 (rotten) to 1 (fresh); null if the model has no "
        "freshness classes."
    )


class Augmentation(BaseModel):
    """One photo and augmented views of it."""

    model_version: str = Field(description="The current version, which graded the views.")
    image_id: str | None = Field(
        description="ID of the image in the catalog; null for a photo sent with the request."
    )
    class_name: str | None = Field(description="Class of the photo; null if it has none.")
    seed: int = Field(description="Seed of the random augmentation, as requested.")
    freshness: FreshnessOfClass | None = Field(
        description="Freshness that the class of the photo names; null if it names none."
    )
    original: View = Field(description="The photo without augmentation.")
    views: list[View]
    story: str = Field(description="How the grades of the views differ, in English.")
