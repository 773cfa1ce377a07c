"""Requests and responses of the retraining endpoints."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from api.core.labels import ClassName, accepted_class_name
from api.retraining import service
from api.retraining.detector_plan import DetectorOption
from api.retraining.plan import UnreadablePhoto
from api.storage.tables.models import RunRow

MAX_EPOCHS = 200
# The architectures of `api.training`, which needs Keras.
Architecture = Literal[
    "efficientnet_lite0", "mobilenet_v2", "efficientnet_b0", "resnet50", "custom_cnn"
]
State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]

# JSON schema of what `_check_mode` allows: of mode full's options, fast has none, and detector has
# only `detector`.
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
    """JSON has one type of number, so 5.0 is 5 even in strict mode."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Epochs = Annotated[int, Field(ge=1, le=MAX_EPOCHS), BeforeValidator(_to_int)]


class RetrainRequest(BaseModel):
    """Options of a retraining run. The default is a fast run on all known and new classes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"anyOf": [_FULL, _FAST, _DETECTOR]}
    )

    mode: service.Mode = Field(
        default="fast",
        description="fast: train a new head for the current version; full: fine-tune the network "
        "as well; detector: train only the fruit detector.",
    )
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
                    "architecture, epochs and classes concern the grader, which the mode detector "
                    "does not change"
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
        """It is forced, trains the whole network, or chooses the classes."""
        return self.force or self.mode == "full" or self.classes is not None


class RetrainStarted(BaseModel):
    message: str
    status: Literal["queued"] = "queued"
    run_id: str
    timestamp: datetime = Field(description="When the run was queued, in UTC.")


class Run(BaseModel):
    """A retraining run."""

    run_id: str
    mode: service.Mode
    options: dict[str, Any] = Field(
        description="Options of the request that differ from the defaults."
    )
    started_by: str = Field(
        description="manual: a user; trigger:NAME: a trigger; suggestion:NAME: a user who accepted "
        "the suggestion of a trigger."
    )
    state: State = Field(
        description="State of the run. interrupted: its worker stopped before the run was done."
    )
    stage: str = Field(description="Step that the run is at, or was at last, in words.")
    message: str = Field(description="State of the run in words, in English.")
    progress: float = Field(description="Progress in percent, 0 to 100.")
    eta_seconds: float | None = Field(
        description="Expected remaining time in seconds; null until `progress` is 10, and after "
        "the end."
    )
    losses: list[dict[str, float]] = Field(description="Losses, one entry per epoch.")
    cancel_requested: bool = Field(
        description="Whether a user asked to cancel the run while it was running."
    )
    candidate: str | None = Field(description="Version that the run made; null if it made none.")
    verdict: dict[str, Any] | None = Field(
        description="Verdict of the promotion gate (`promote`, `passed`, `reasons` and figures); "
        "null if there is none. A version that passed is not promoted if RIPELINE_PROMOTE is "
        "person, or if a trigger in mode start started the run."
    )
    created_at: datetime = Field(description="When the run was queued, in UTC.")
    started_at: datetime | None = Field(
        description="When a worker started the run, in UTC; null if none has."
    )
    finished_at: datetime | None = Field(description="When the run ended, in UTC; null until then.")

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

    is_retraining: bool = Field(description="Whether the run is queued or running.")
    progress: float = Field(default=0.0, description="Progress in percent, 0 to 100.")
    message: str = "No retraining yet."
    run_id: str | None = Field(
        default=None, description="ID of the run; null before the first run."
    )
    mode: service.Mode | None = None
    state: State | None = Field(
        default=None,
        description="State of the run. interrupted: its worker stopped before the run was done.",
    )
    stage: str = Field(default="", description="Step that the run is at, or was at last, in words.")
    started_at: datetime | None = Field(
        default=None, description="When a worker started the run, in UTC; null if none has."
    )
    finished_at: datetime | None = Field(
        default=None, description="When the run ended, in UTC; null until then."
    )
    eta_seconds: float | None = Field(
        default=None,
        description="Expected remaining time in seconds; null until `progress` is 10, and after "
        "the end.",
    )
    losses: list[dict[str, float]] = Field(default=[], description="Losses, one entry per epoch.")
    candidate: str | None = Field(
        default=None, description="Version that the run made; null if it made none."
    )
    verdict: dict[str, Any] | None = Field(
        default=None, description="Verdict of the promotion gate; null if there is none."
    )

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

    is_training: bool = Field(description="Whether a run is queued or running.")
    progress: float = Field(description="Progress in percent, 0 to 100.")
    message: str


class Estimate(BaseModel):
    """Expected effect of a run, and its duration on the machine of the previous runs."""

    champion: str = Field(description="The current version, which the run would start from.")
    fast_seconds: float = Field(description="Expected duration of a run in mode fast, in seconds.")
    full_seconds: float = Field(description="Expected duration of a run in mode full, in seconds.")
    detector_seconds: float = Field(
        description="Expected duration of a run in mode detector, which trains the current "
        "detector further."
    )
    photographs: int = Field(description="Number of photos that the run would train and test on.")
    new: int = Field(description="Sum over `new_by_class`.")
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
    relabelled: int = Field(description="Number of learned photos that have another class now.")
    removed: int = Field(description="Number of learned images that are no longer in the catalog.")
    boxed_photos: int = Field(
        description="Number of boxed photos on which a run in mode full or detector would train "
        "the detector; 0 if it has been trained on them already."
    )
