"""What the health endpoints answer."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

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


class ModelSummary(BaseModel):
    """The part of a manifest that readers of `/model-info` want."""

    version: str
    created_at: datetime
    classes: tuple[str, ...]
    architecture: str
    input_size: int
    parameters: int
    preprocessing: str
    metrics: dict[str, Any]
    thresholds: dict[str, float]
    data: dict[str, Any]

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> "ModelSummary":
        return cls.model_validate(manifest.model_dump(include=set(cls.model_fields)))


class ModelInfo(BaseModel):
    status: Literal["loaded", "no model"]
    uptime_seconds: float
    prediction_count: int
    model_info: ModelSummary | None
