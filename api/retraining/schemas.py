"""Requests and responses of the retraining endpoints."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from api.core.labels import ClassName, accepted_class_name
from api.retraining import service
from api.retraining.detector_plan import DetectorOption
from api.retraining.plan import UnreadablePhoto
from api.storage.tables import RunRow

MAX_EPOCHS = 200
# The architectures of `api.training`, which needs Keras.
Architecture = Literal[
    "efficientnet_lite0", "mobilenet_v2", "efficientnet_b0", "resnet50", "custom_cnn"
]
State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]

# JSON schema of what `_check_mode` allows: of the options of the mode full, fast has none, and
# detector only `detector`.
_NO_GRADER: JsonDict = {"architecture": {"type": "null"}, "epochs": {"type": "null"}}
_FULL: JsonDict = {"required": ["mode"], "properties": {"mode": {"const": "full"}}}
_FAST: JsonDict = {
    "properties": {"mode": {"const": "fast"}, **_NO_GRADER, "detector": {"const": "auto"}}
}
_DETECTOR: JsonDict = {
    "required": ["mode"],
    "properties": {
        "mode": {"const": "detector"},
        **_NO_GRADER,
        "classes": {"type": "null"},
        "detector": {"enum": ["auto", "train"]},
    },
}


def _to_int(value: Any) -> Any:
    """JSON has one type of number, so 5.0 is 5 also in strict mode."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Epochs = Annotated[int, Field(ge=1, le=MAX_EPOCHS), BeforeValidator(_to_int)]


class RetrainRequest(BaseModel):
    """Options of a retraining run. The default is a fast run on all known and new classes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"anyOf": [_FULL, _FAST, _DETECTOR]}
    )

    mode: service.Mode = "fast"
    architecture: Architecture | None = Field(
        default=None,
        description="Network architecture; default: that of the current version. Only in mode "
        "full.",
    )
    epochs: Epochs | None = Field(
        default=None, description="Maximum number of epochs. Only in mode full."
    )
    classes: Annotated[list[ClassName], Field(min_length=2, max_length=1000)] | None = Field(
        default=None,
        description="Train on these classes only and leave out photos of other classes. Not in "
        "mode detector.",
    )
    detector: DetectorOption = Field(
        default="auto",
        description="What to do with the fruit detector, in modes full and detector. auto: train "
        "the current detector further if there are boxed photos it was not trained on; keep: "
        "leave it unchanged (mode full only); train: train a new one, which takes about half an "
        "hour longer.",
    )
    force: bool = Field(
        default=False, description="Start a run even if there is nothing new to learn."
    )

    @model_validator(mode="after")
    def _check_mode(self) -> "RetrainRequest":
        if self.mode == "fast" and (self.architecture or self.epochs or self.detector != "auto"):
            raise ValueError('architecture, epochs and detector need "mode": "full"')
        if self.mode == "detector":
            if self.architecture or self.epochs or self.classes:
                raise ValueError(
                    "architecture, epochs and classes are of the grader, which the mode detector "
                    "leaves as it is"
                )
            if self.detector == "keep":
                raise ValueError('"detector": "keep" leaves nothing to do in the mode detector')
        return self

    def run_options(self) -> dict[str, Any]:
        """The options stored with the run, with normalised class names.

        Raises what `accepted_class_name` raises.
        """
        names = {"architecture", "epochs", "detector"}
        options = self.model_dump(include=names, exclude_none=True, exclude_defaults=True)
        if self.classes is not None:
            options["classes"] = sorted({accepted_class_name(name) for name in self.classes})
        return options

    @property
    def makes_sense_without_new_photos(self) -> bool:
        """Because it is forced, trains anew, or changes the classes."""
        return self.force or self.mode == "full" or self.classes is not None


class RetrainStarted(BaseModel):
    message: str
    status: Literal["queued"] = "queued"
    run_id: str
    timestamp: datetime


class Run(BaseModel):
    """A retraining run."""

    run_id: str
    mode: service.Mode
    options: dict[str, Any]
    started_by: str
    state: State
    stage: str
    message: str
    progress: float = Field(description="Progress in percent, 0 to 100.")
    eta_seconds: float | None
    losses: list[dict[str, float]] = Field(description="Losses, one entry per epoch.")
    cancel_requested: bool
    candidate: str | None = Field(description="Version that the run made; null if it made none.")
    verdict: dict[str, Any] | None = Field(
        description="Verdict of the promotion gate (`promote`, `passed`, `reasons` and figures); "
        "null if there is none. A version that passed is not promoted if RIPELINE_PROMOTE is "
        "person, or if a trigger in mode start started the run."
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: RunRow) -> "Run":
        state, message = service.current_status(row)
        values = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls.model_validate({**values, "run_id": row.id, "state": state, "message": message})


class Runs(BaseModel):
    """A page of retraining runs, newest first."""

    total: int
    runs: list[Run]


class RetrainingStatus(BaseModel):
    """Status of the newest run, active or finished."""

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
        is_retraining = run.state in ("queued", "running")
        values = run.model_dump(include=set(cls.model_fields))
        return cls.model_validate({**values, "is_retraining": is_retraining})


class TrainingStatus(BaseModel):
    """Short retraining status, for older clients."""

    is_training: bool
    progress: float
    message: str


class Estimate(BaseModel):
    """Expected effect of a run, and its duration on the machine of the previous runs."""

    champion: str
    fast_seconds: float
    full_seconds: float
    detector_seconds: float = Field(
        description="Expected duration of a run in mode detector, which trains the current "
        "detector further."
    )
    photographs: int = Field(description="Number of photos that the run would train and test on.")
    new: int
    new_by_class: dict[str, int] = Field(
        description="Number of images that the current version has not been trained on, by class."
    )
    left_out: dict[str, int] = Field(
        description="Classes with too few distinct photos to learn, and their number of photos."
    )
    unreadable: list[UnreadablePhoto] = Field(
        description="Photos that are skipped because the last run that tried could not read them, "
        "or they exceed the pixel limit."
    )
    relabelled: int
    removed: int
    boxed_photos: int = Field(
        description="Number of boxed photos on which a run in mode full or detector would train "
        "the detector; 0 if it has been trained on them already."
    )
