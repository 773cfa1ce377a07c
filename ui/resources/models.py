"""Model versions: which there are, how they differ, which serves."""

from datetime import datetime
from typing import Literal

from answers import Answer
from client import ApiClient

from resources.runs import Verdict

Better = Literal["higher", "lower"]
Status = Literal["champion", "challenger", "retired", "pruned"]


class Measured(Answer):
    """What a version was measured to be worth on photographs that it has not seen, 0 to 1."""

    photographs: int | None = None
    macro_f1: float | None = None
    accuracy: float | None = None
    expected_calibration_error: float | None = None


class Learned(Answer):
    """What a version learned from and was measured on."""

    files: int
    photographs: int


class Version(Answer):
    version: str
    status: Status
    created_at: datetime
    registered_at: datetime
    origin: str
    parent: str | None = None
    started_by: str
    run_id: str | None = None
    classes: list[str]
    metrics: Measured
    data: Learned
    verdict: Verdict | None = None

    @property
    def may_serve(self) -> bool:
        """Can it be promoted?"""
        return self.status in ("challenger", "retired")


class Versions(Answer):
    """The newest first; `rollback_to` is what a rollback would go to."""

    champion: str | None = None
    rollback_to: str | None = None
    models: list[Version]


class Difference(Answer):
    """One figure of two versions; `difference` is b less a."""

    name: str
    better: Better
    a: float | None = None
    b: float | None = None
    difference: float | None = None


class SideBySide(Answer):
    """`same_data`: both were measured on the same photographs."""

    same_data: bool
    figures: list[Difference]


class Promotion(Answer):
    """`version` serves from `at` on; `kind` is first, gate, manual or rollback."""

    version: str
    replaced: str | None = None
    kind: str
    at: datetime


class History(Answer):
    """The newest first."""

    promotions: list[Promotion]


def listed(api: ApiClient) -> Versions:
    return api.call(Versions, "GET", "/models")


def history(api: ApiClient) -> History:
    return api.call(History, "GET", "/models/history")


def compare(api: ApiClient, a: str, b: str) -> SideBySide:
    return api.call(SideBySide, "GET", "/models/compare", params={"a": a, "b": b})


def promote(api: ApiClient, version: str) -> Promotion:
    return api.call(Promotion, "POST", f"/models/{version}/promote")


def roll_back(api: ApiClient) -> Promotion:
    return api.call(Promotion, "POST", "/models/rollback")
