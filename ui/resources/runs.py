"""Retraining runs: what there is to learn, starting one, watching it, its verdict."""

from datetime import datetime
from typing import Any, Literal

from answers import Answer
from client import ApiClient
from pydantic import Field

Mode = Literal["fast", "full"]
State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]


class Estimate(Answer):
    """What a run would learn, and how many seconds each mode would take."""

    champion: str
    fast_seconds: float
    full_seconds: float
    photographs: int
    new: int
    new_by_class: dict[str, int]
    relabelled: int
    removed: int

    @property
    def anything_new(self) -> bool:
        return bool(self.new or self.relabelled or self.removed)


class Paired(Answer):
    """Two graders on the same photographs; `lost` of them only the champion has right."""

    photographs: int
    champion_right: int
    lost: int
    won: int

    @property
    def candidate_right(self) -> int:
        return self.champion_right - self.lost + self.won


class Figures(Answer):
    """One figure of both."""

    champion: float
    candidate: float


class Fit(Answer):
    """How many new photographs come out as they were labelled."""

    left_out: int
    left_out_right: int
    held_out: int = 0
    held_out_right: int = 0


class Comparison(Answer):
    """What the gate judged by, all on the same held-out photographs."""

    overall: Paired
    recognised: Paired
    per_class: dict[str, Paired] = Field(default_factory=dict)
    macro_f1: Figures | None = None
    calibration_error: Figures | None = None
    others_let_through: Figures | None = None
    milliseconds: Figures | None = None
    new_classes: dict[str, Fit] = Field(default_factory=dict)
    new_labels: dict[str, Fit] = Field(default_factory=dict)


class Verdict(Answer):
    promote: bool
    reasons: list[str] = Field(default_factory=list)
    figures: Comparison | None = None


class Run(Answer):
    """One run. `progress` goes from 0 to 100; `losses` has one entry an epoch."""

    run_id: str
    mode: Mode
    options: dict[str, Any] = Field(default_factory=dict)
    started_by: str
    state: State
    stage: str
    message: str
    progress: float
    eta_seconds: float | None = None
    losses: list[dict[str, float]] = Field(default_factory=list)
    cancel_requested: bool = False
    candidate: str | None = None
    verdict: Verdict | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def seconds(self) -> float | None:
        """How long it took; None where it did not begin or has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Runs(Answer):
    """The newest first."""

    total: int
    runs: list[Run]


class Started(Answer):
    run_id: str
    message: str


def estimate(api: ApiClient) -> Estimate:
    return api.call(Estimate, "GET", "/retrain/estimate")


def newest(api: ApiClient) -> Run | None:
    """The run that is going on, or the last one; None before the first."""
    found = listed(api, 1).runs
    return found[0] if found else None


def listed(api: ApiClient, limit: int) -> Runs:
    return api.call(Runs, "GET", "/runs", params={"limit": limit})


def start(api: ApiClient, mode: Mode) -> Started:
    return api.call(Started, "POST", "/retrain", json={"mode": mode})


def cancel(api: ApiClient, run_id: str) -> Run:
    return api.call(Run, "POST", f"/runs/{run_id}/cancel")
