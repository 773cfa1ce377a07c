"""What a report looks like to clients."""

from typing import Literal

from pydantic import BaseModel, Field

from api.model.manifest import DataFingerprint

Name = Literal[
    "sources", "source", "near", "test", "folds", "phone_fruit", "phone_edible", "supplied"
]


class Figure(BaseModel):
    """One measurement, never without what it was measured on."""

    name: Name = Field(description="Of several sources left out, each is a `source`.")
    title: str
    value: float = Field(description="A share, 0 to 1.")
    low: float | None = Field(description="Of the 95 % interval.")
    high: float | None
    counts: str = Field(description='What is counted: "520 files of 215 photographs".')
    split: str = Field(description="How the photographs were held out, in words.")
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
    """The networks that were compared, and one of them over input sizes."""

    split: str
    latency: str = Field(description="How the time was taken.")
    data: DataFingerprint
    architectures: list[Trial]
    input_sizes: list[Trial]


class Report(BaseModel):
    """How good a version is, with all that has to stand beside it."""

    version: str
    architecture: str
    figures: list[Figure] = Field(description="Sources never met first, what leaks last.")
    recipe_data: DataFingerprint | None = Field(description="What the recipe was measured on.")
    same_data: bool = Field(description="Whether the version was made from the same photographs.")
    comparison: ArchitectureComparison | None
    story: str
