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
    """Fingerprint of a package's training photos."""

    model_config = ConfigDict(frozen=True)

    files: int
    photographs: int
    boxed: int
    sha256: str = Field(description="Of the sorted content hashes of all files.")


class BoxedFingerprint(BaseModel):
    """Fingerprint of the catalog's boxed photos that a detector learned."""

    model_config = ConfigDict(frozen=True)

    photographs: int
    boxes: int
    sha256: str = Field(description="Of the sorted photos with their boxes.")


class DetectorManifest(BaseModel):
    """The detector of a package: what it finds, how it is read, how it was made."""

    model_config = ConfigDict(frozen=True)

    fruits: tuple[str, ...] = Field(
        min_length=1, max_length=1000, description="In the order of the network's outputs."
    )
    input_size: int = Field(ge=8, le=1024, description="Side of the square input, in pixels.")
    score_threshold: float = Field(ge=0, le=1, description="Boxes with a lower score are dropped.")
    max_overlap: float = Field(
        ge=0, le=1, description="Of two boxes that overlap by more, the better is kept."
    )
    created_at: datetime
    parameters: int
    metrics: dict[str, Any] = {}
    recipe: dict[str, Any] = {}
    probe: list[float] | None = Field(
        default=None, description="Highest score on each image of `model.probe`, when it was made."
    )
    catalog: BoxedFingerprint | None = Field(
        default=None, description="Of the catalog's boxed photos that it learned; null for none."
    )


class Manifest(BaseModel):
    """`manifest.json`: written last, so that a package without one is no package."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    version: str = Field(pattern=VERSION)
    parent: str | None = Field(default=None, description="The version that it was made from.")
    started_by: str | None = Field(default=None, description="A person, or the trigger's name.")
    created_at: datetime
    grader_created_at: datetime | None = Field(
        default=None,
        description="When its grades were learned, where another detector made it a new version.",
    )
    classes: tuple[str, ...] = Field(min_length=1, max_length=1000)
    architecture: str
    input_size: int = Field(ge=8, le=1024, description="Side of the square input, in pixels.")
    feature_shape: tuple[Side, Side, Side] = Field(description="Height, width, channels.")
    parameters: int
    preprocessing: str
    metrics: dict[str, Any]
    thresholds: dict[str, float]
    data: DataFingerprint
    recipe: dict[str, Any]
    versions: dict[str, str] = Field(
        description="Of the libraries that made the package, and of this project as `ripeline`."
    )
    files: dict[str, str] = Field(description="SHA-256 of each file of the package.")
    probe: list[list[float]] | None = Field(
        default=None,
        description="Probabilities of the drawn images of `model.probe`, when it was made.",
    )
    detector: DetectorManifest | None = Field(
        default=None, description="Of the detector; null for a package without one."
    )

    @property
    def grader_made_at(self) -> datetime:
        return self.grader_created_at or self.created_at

    def to_json(self) -> str:
        """The content of `manifest.json`; NaN becomes null."""
        return f"{self.model_dump_json(indent=2)}\n"
