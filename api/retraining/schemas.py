"""What the retraining endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from api.core.architecture_names import Architecture
from api.core.class_names import ClassName
from api.core.labels import normalise_class_name
from api.retraining import service
from api.storage.tables import RunRow

MOST_EPOCHS = 200
State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]


_OF_FULL: JsonDict = {"required": ["mode"], "properties": {"mode": {"const": "full"}}}
_OF_FAST: JsonDict = {"properties": {"architecture": {"type": "null"}, "epochs": {"type": "null"}}}


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 5.0 is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Epochs = Annotated[int, Field(ge=1, le=MOST_EPOCHS), BeforeValidator(_whole)]


class RetrainRequest(BaseModel):
    """What to do. Without anything: fast, on all known classes and all new ones."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"anyOf": [_OF_FULL, _OF_FAST]}
    )

    mode: service.Mode = "fast"
    architecture: Architecture | None = Field(
        default=None, description="Of the mode full; without it, the champion's."
    )
    epochs: Epochs | None = Field(default=None, description="Of the mode full; at most.")
    classes: (
        Annotated[
            list[Annotated[ClassName, AfterValidator(normalise_class_name)]],
            Field(min_length=2, max_length=1000),
        ]
        | None
    ) = Field(default=None, description="Only these; photographs of others are not learned from.")
    force: bool = Field(default=False, description="Also where nothing is new.")

    @model_validator(mode="after")
    def _fit(self) -> "RetrainRequest":
        if self.mode == "fast" and (self.architecture or self.epochs):
            raise ValueError('architecture and epochs need "mode": "full"')
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What the run is to know besides its mode."""
        chosen = self.model_dump(include={"architecture", "epochs", "classes"}, exclude_none=True)
        return {name: sorted(set(v)) if name == "classes" else v for name, v in chosen.items()}

    @property
    def deliberate(self) -> bool:
        """Does it ask for more than to learn what is new?"""
        return self.force or self.mode == "full" or self.classes is not None


class RetrainStarted(BaseModel):
    message: str
    status: Literal["queued"] = "queued"
    run_id: str
    timestamp: datetime


class Run(BaseModel):
    """One run."""

    run_id: str
    mode: service.Mode
    options: dict[str, Any]
    started_by: str
    state: State
    stage: str
    message: str
    progress: float = Field(description="0 to 100.")
    eta_seconds: float | None
    losses: list[dict[str, float]] = Field(description="One entry an epoch.")
    cancel_requested: bool
    candidate: str | None = Field(description="The version that it made.")
    verdict: dict[str, Any] | None = Field(description="promote, reasons and figures of the gate.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: RunRow) -> "Run":
        state, message = service.current_status(row)
        stated = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls.model_validate({**stated, "run_id": row.id, "state": state, "message": message})


class Runs(BaseModel):
    """The newest first."""

    total: int
    runs: list[Run]


class RetrainingStatus(BaseModel):
    """The newest run, whether it is going on or over."""

    is_retraining: bool
    progress: float = 0.0
    message: str = "No retraining yet."
    run_id: str | None = None
    mode: service.Mode | None = None
    state: State | None = None
    stage: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    eta_seconds: float | None = None
    losses: list[dict[str, float]] = []
    candidate: str | None = None
    verdict: dict[str, Any] | None = None

    @classmethod
    def of(cls, row: RunRow | None) -> "RetrainingStatus":
        if row is None:
            return cls(is_retraining=False)
        run = Run.of(row)
        going_on = run.state in ("queued", "running")
        shared = run.model_dump(include=set(cls.model_fields))
        return cls.model_validate({**shared, "is_retraining": going_on})


class TrainingStatus(BaseModel):
    """For older clients."""

    is_training: bool
    progress: float
    message: str


class Estimate(BaseModel):
    """What a run would do, and how long it would take on the machine that ran the last ones."""

    champion: str
    fast_seconds: float
    full_seconds: float
    photographs: int = Field(description="What would be learned from and measured on.")
    new: int
    new_by_class: dict[str, int] = Field(description="What the champion has not learned.")
    relabelled: int
    removed: int
