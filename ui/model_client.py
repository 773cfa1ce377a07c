"""The API's endpoints of model versions."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from api_models import (
    FreshnessThresholds,
    FruitThresholds,
    History,
    LevelCosts,
    Mistakes,
    Promotion,
    PromotionByHand,
    Report,
    Shadow,
    ThresholdSweep,
    TrialAnswer,
    Version,
    VersionComparison,
    VersionDetails,
    Versions,
    VersionThresholds,
)
from http_client import HttpClient
from photos import Photo

_COMPARE = "/models/compare"
_THRESHOLDS = "/freshness-thresholds"


class ModelClient:
    """Raises `ApiError` as `HttpClient` does."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def versions(self) -> Versions:
        return self._http.call(Versions, "GET", "/models")

    def version_details(self, version: str) -> VersionDetails:
        return self._http.call(VersionDetails, "GET", f"/models/{version}")

    def version_report(self, version: str) -> Report:
        return self._http.call(Report, "GET", f"/report/{version}")

    def describe_version(self, version: str, name: str, note: str) -> Version:
        """Set its name and note; an empty text removes it."""
        body = {"name": name, "note": note}
        return self._http.call(Version, "PATCH", f"/models/{version}", json=body)

    def version_mistakes(self, version: str) -> Mistakes:
        return self._http.call(Mistakes, "GET", f"/report/{version}/mistakes")

    def export_mistakes(self, version: str) -> bytes:
        """A zip of the photos that it gets wrong."""
        return self._http.content(f"/report/{version}/mistakes/export")

    def compare_versions(self, a: str, b: str) -> VersionComparison:
        return self._http.call(VersionComparison, "GET", _COMPARE, params={"a": a, "b": b})

    def try_both(self, a: str, b: str, photos: Sequence[Photo]) -> TrialAnswer:
        """Grade photos or zips of photos with two versions; nothing is stored."""
        files = [("files", (photo.name, photo.data)) for photo in photos]
        return self._http.call(TrialAnswer, "POST", _COMPARE, params={"a": a, "b": b}, files=files)

    def try_both_on_kept(self, a: str, b: str, days: int, limit: int) -> TrialAnswer:
        """Grade the newest stored photos of the last `days` again, with two versions."""
        asked = {"a": a, "b": b, "days": days, "limit": limit}
        return self._http.call(TrialAnswer, "POST", f"{_COMPARE}/kept", params=asked)

    def shadow(self, version: str) -> Shadow:
        """Its shadow grading, compared with the version in use."""
        return self._http.call(Shadow, "GET", _shadow(version))

    def start_shadow(self, version: str, share: float, photos: int) -> Shadow:
        """Let it grade a `share` of the photos until it has graded `photos` of them."""
        body = {"share": share, "photos": photos}
        return self._http.call(Shadow, "PUT", _shadow(version), json=body)

    def stop_shadow(self, version: str) -> Shadow:
        return self._http.call(Shadow, "DELETE", _shadow(version))

    def export(self, version: str) -> bytes:
        """A zip of the version that works without the service."""
        return self._http.content(f"/models/{version}/export")

    def promotions(self) -> list[Promotion]:
        """Which version was in use when, newest first."""
        return self._http.call(History, "GET", "/models/history").promotions

    def promote(self, version: str) -> PromotionByHand:
        return self._http.call(PromotionByHand, "POST", f"/models/{version}/promote")

    def roll_back(self, version: str) -> Promotion:
        """Return to `version`, the one that was in use before. Sent twice, it goes back once."""
        return self._http.call(Promotion, "POST", "/models/rollback", params={"to": version})

    def freshness_thresholds(self) -> FreshnessThresholds:
        return self._http.call(FreshnessThresholds, "GET", _THRESHOLDS)

    def set_freshness_thresholds(
        self, rotten_below: float, fresh_from: float
    ) -> FreshnessThresholds:
        """Set both scores (0 to 1), for everybody."""
        body = {"rotten_below": rotten_below, "fresh_from": fresh_from}
        return self._http.call(FreshnessThresholds, "PUT", _THRESHOLDS, json=body)

    def reset_freshness_thresholds(self) -> FreshnessThresholds:
        return self._http.call(FreshnessThresholds, "DELETE", _THRESHOLDS)

    def version_thresholds(self, version: str) -> VersionThresholds:
        """The thresholds of each fruit of a version."""
        return self._http.call(VersionThresholds, "GET", f"/models/{version}/thresholds")

    def copy_thresholds(self, other: str, version: str) -> VersionThresholds:
        """Copy from the `other` version the thresholds that this one lacks."""
        path, body = f"/models/{version}/thresholds", {"from_version": other}
        return self._http.call(VersionThresholds, "POST", path, json=body)

    def threshold_sweep(
        self, version: str, fruit: str, line: str, costs: Mapping[str, float]
    ) -> ThresholdSweep:
        """What each threshold gets wrong. `costs` are query parameters; missing ones are as last
        saved."""
        query = {"fruit": fruit, "line": line, **costs}
        path = f"/models/{version}/threshold-sweep"
        return self._http.call(ThresholdSweep, "GET", path, params=query)

    def set_fruit_thresholds(
        self,
        version: str,
        fruit: str,
        *,
        rotten_below: float,
        fresh_from: float,
        costs: LevelCosts,
    ) -> FruitThresholds:
        """Set both scores (0 to 1) of a fruit, for everybody who grades with this version."""
        body = {
            "rotten_below": rotten_below,
            "fresh_from": fresh_from,
            "costs": costs.model_dump(),
        }
        return self._http.call(FruitThresholds, "PUT", _of_fruit(version, fruit), json=body)

    def reset_fruit_thresholds(self, version: str, fruit: str) -> FruitThresholds:
        return self._http.call(FruitThresholds, "DELETE", _of_fruit(version, fruit))


def _of_fruit(version: str, fruit: str) -> str:
    return f"/models/{version}/thresholds/{quote(fruit, safe='')}"


def _shadow(version: str) -> str:
    return f"/models/{version}/shadow"
