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
    title: str = Field(description="Name of the metric, in English.")
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
    input_size: int = Field(description="Side length of the square input, in pixels.")
    weights: str = Field(description="Weights that the training started from.")
    wanted_weights: str | None = Field(
        default=None,
        description="Weights that were requested but not available; null if `weights` were "
        "requested.",
    )
    training: str = Field(
        description="What was trained, in words: the whole network or its head alone."
    )
    accuracy: float = Field(description="Share of test files with the correct class, 0 to 1.")
    accuracy_interval_95: tuple[float, float] = Field(
        description="Bounds of the 95 % confidence interval of `accuracy`."
    )
    macro_f1: float = Field(description="Mean of the F1 scores of all classes, 0 to 1.")
    parameters: int = Field(description="Number of parameters of the network.")
    megabytes: float = Field(
        description="Size of the network's file in megabytes of a million bytes."
    )
    milliseconds: float = Field(
        description="Duration of one photo's forward pass; `latency` says how it was measured."
    )


class ArchitectureComparison(BaseModel):
    """Comparison of network architectures, and of one architecture at several input sizes."""

    split: str = Field(description="How the photos were held out, in words.")
    latency: str = Field(description="How latency was measured.")
    data: DataFingerprint = Field(description="Data that all were trained and tested on.")
    architectures: list[Trial] = Field(description="Results by architecture.")
    input_sizes: list[Trial] = Field(description="Results of one architecture by input size.")


class KeptVersion(BaseModel):
    """Accuracy of a version on the photos held out of the version reported on."""

    version: str
    created_at: datetime = Field(description="When the version was made.")
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
    comparison: ArchitectureComparison | None = Field(
        description="Comparison of network architectures; null if it was not measured."
    )
    kept_versions: list[KeptVersion] = Field(
        description="Accuracy of this version and of those kept when it was made, on the photos "
        "held out of this one, newest first: what it costs to keep an older version. Empty if no "
        "run on this service made the version."
    )
    story: str = Field(description="Summary of the metrics, in English.")


class CatalogPhoto(BaseModel):
    """A photo that is still in the catalog: an image or a boxed photo."""

    image_id: str | None = Field(description="ID in `/dataset/images`; null for a boxed photo.")
    boxed_photo_id: str | None = Field(
        description="ID in `/dataset/boxed-photos`; null for an image."
    )
    filename: str
    width: int = Field(description="Width of the stored photo, in pixels.")
    height: int = Field(description="Height of the stored photo, in pixels.")


class Mistake(BaseModel):
    """A held-out photo, or one boxed fruit on it, that the version grades wrongly."""

    class_name: str = Field(description="Label when the version was made.")
    predicted_class: str
    confidence: float = Field(description="Calibrated probability of the predicted class, 0 to 1.")
    photograph: str = Field(description="ID of the group of files that show the same photo.")
    source: str = Field(
        description="Folder of the data set that the photo comes from, or `catalog`; empty if "
        "unknown."
    )
    photo: CatalogPhoto | None = Field(
        description="Photo in the catalog; null if the catalog has no picture of it."
    )
    box: FruitBox | None = Field(
        description="Box of the fruit, in pixels of the photo; null for a whole photo."
    )


class Miss(BaseModel):
    """A held-out photo with missed fruits, or with boxes where there is no fruit."""

    file: str = Field(description="Name of the photo's file.")
    source: str = Field(
        description="Folder of the data set that the photo comes from, or `catalog`; empty if "
        "unknown."
    )
    fruits: int = Field(description="Number of boxed fruits in the photo.")
    missed: int = Field(description="Number of boxed fruits that the detector missed.")
    surplus: int = Field(
        description="Number of detections that match no box; 0 unless every fruit has a box."
    )
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
