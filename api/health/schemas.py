"""What the health endpoints answer."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.registry.manifest import Manifest


class Live(BaseModel):
    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    status: Literal["ready"] = "ready"


class Health(BaseModel):
    status: Literal["healthy"] = "healthy"
    uptime_seconds: float
    prediction_count: int
    timestamp: datetime
    model_loaded: bool
    api_version: str


class Status(BaseModel):
    api_status: Literal["online"] = "online"
    model_loaded: bool
    model_classes: tuple[str, ...]
    total_predictions: int = Field(description="By this process.")
    uptime_seconds: float
    training_status: str = Field(
        description="idle before the first run; else the state of the newest: queued, running, "
        "succeeded, failed, cancelled or interrupted; unknown while the catalog is away."
    )
    last_model_update: datetime | None = Field(description="When this version began to serve.")


class ModelSummary(BaseModel):
    """The part of a manifest that readers of `/model-info` want."""

    version: str
    parent: str | None
    created_at: datetime
    champion_since: datetime | None
    classes: tuple[str, ...]
    architecture: str
    input_size: int
    parameters: int
    preprocessing: str
    metrics: dict[str, Any]
    thresholds: dict[str, float]
    data: dict[str, Any]

    @classmethod
    def of(cls, manifest: Manifest, champion_since: datetime | None) -> "ModelSummary":
        stated = manifest.model_dump(include=set(cls.model_fields))
        return cls.model_validate({**stated, "champion_since": champion_since})


class ModelInfo(BaseModel):
    status: Literal["loaded", "no model"]
    uptime_seconds: float
    prediction_count: int
    model_info: ModelSummary | None
