"""The manifest of a model package: contents, provenance and metrics."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

FORMAT = 1
# Versions are part of folder names, storage keys and URLs.
VERSION = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"


# One side of a feature map, or its number of channels. Bounded, since memory is allocated by it.
Side = Annotated[int, Field(ge=1, le=8192)]


def is_version(text: str) -> bool:
    return re.fullmatch(VERSION, text) is not None


class DataFingerprint(BaseModel):
    """Fingerprint of the training photos of a package."""

    model_config = ConfigDict(frozen=True)

    files: int = Field(description="Number of photo files of all splits, without boxed photos.")
    photographs: int = Field(description="Number of distinct photos among them.")
    boxed: int = Field(description="Number of boxed fruits.")
    sha256: str = Field(description="SHA-256 of the sorted content hashes of all files.")


class BoxedFingerprint(BaseModel):
    """Fingerprint of the boxed photos in the catalog that a detector was trained on."""

    model_config = ConfigDict(frozen=True)

    photographs: int = Field(description="Number of boxed photos, all of the train split.")
    boxes: int = Field(description="Number of boxes on these photos.")
    sha256: str = Field(description="SHA-256 of the sorted photos with their boxes.")


class DetectorManifest(BaseModel):
    """The fruit detector of a package: its outputs, how to read them, and how it was made."""

    model_config = ConfigDict(frozen=True)

    fruits: tuple[str, ...] = Field(
        min_length=1,
        max_length=1000,
        description="Names of the fruits, in the order of the network's outputs.",
    )
    input_size: int = Field(
        ge=8, le=1024, description="Side length of the square input, in pixels."
    )
    score_threshold: float = Field(
        ge=0, le=1, description="Lowest score of a detection; boxes with lower scores are dropped."
    )
    max_overlap: float = Field(
        ge=0,
        le=1,
        description="Highest overlap of two boxes, 0 to 1. If two boxes overlap by more, only the "
        "one with the higher score is kept.",
    )
    created_at: datetime = Field(description="When the detector was made, in UTC.")
    parameters: int = Field(description="Number of parameters of the network.")
    metrics: dict[str, Any] = Field(
        default={}, description="Metrics on held-out photos; empty if not measured."
    )
    recipe: dict[str, Any] = Field(default={}, description="Hyperparameters of the training.")
    probe: list[float] | None = Field(
        default=None,
        description="Highest detection score on each probe image, recorded when the detector was "
        "made; null if not recorded.",
    )
    catalog: BoxedFingerprint | None = Field(
        default=None,
        description="Fingerprint of the boxed photos in the catalog that it was trained on; null "
        "if there were none.",
    )


class Manifest(BaseModel):
    """Contents of `manifest.json`. It is written last: a package without it is incomplete."""

    model_config = ConfigDict(frozen=True)

    format: int = Field(default=FORMAT, description="Version of the package format.")
    version: str = Field(pattern=VERSION)
    parent: str | None = Field(
        default=None, description="Version that this one was made from; null if there is none."
    )
    started_by: str | None = Field(
        default=None,
        description="Who started the run: a person, or the name of a trigger; null if unknown.",
    )
    created_at: datetime = Field(description="When the version was made, in UTC.")
    grader_created_at: datetime | None = Field(
        default=None,
        description="When the grader was trained, if this version differs from its parent only by "
        "its detector; null otherwise.",
    )
    classes: tuple[str, ...] = Field(
        min_length=1,
        max_length=1000,
        description="Class names, in the order of the model's outputs.",
    )
    architecture: str
    input_size: int = Field(
        ge=8, le=1024, description="Side length of the square input, in pixels."
    )
    feature_shape: tuple[Side, Side, Side] = Field(
        description="Height, width and number of channels of the feature map."
    )
    parameters: int = Field(description="Number of parameters of the network and its head.")
    preprocessing: str = Field(description="How a photo becomes the network's input, in words.")
    metrics: dict[str, Any] = Field(description="Metrics on held-out photos, by section.")
    thresholds: dict[str, float] = Field(
        description="Calibration of the head: `temperature`, `ood_score` and, with freshness "
        "classes, `freshness_temperature`, `rotten_below` and `fresh_from`."
    )
    data: DataFingerprint = Field(description="Photos that the version was trained and tested on.")
    recipe: dict[str, Any] = Field(description="Hyperparameters of the training.")
    versions: dict[str, str] = Field(
        description="Versions of the libraries that made the package, and of this project as "
        "`ripeline`."
    )
    files: dict[str, str] = Field(description="SHA-256 of each file in the package, by file name.")
    probe: list[list[float]] | None = Field(
        default=None,
        description="Class probabilities of each probe image, recorded when the version was made; "
        "null if not recorded.",
    )
    detector: DetectorManifest | None = Field(
        default=None, description="The fruit detector; null if the package has none."
    )

    @property
    def grader_made_at(self) -> datetime:
        return self.grader_created_at or self.created_at

    def to_json(self) -> str:
        """The content of `manifest.json`; NaN becomes null."""
        return f"{self.model_dump_json(indent=2)}\n"
