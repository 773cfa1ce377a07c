"""Settings from environment variables: RIPELINE_*, and those that hosting platforms set."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.core.api_keys import parse_keys, parse_origins
from api.core.freshness_levels import LevelThresholds, threshold_error
from api.core.imaging.decode import MAX_PIXELS
from api.core.log_setup import LogFormat, LogLevel
from api.core.notify_urls import parse_notify_urls

PROJECT = Path(__file__).resolve().parent.parent


def usable_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _valid_rate(text: str) -> str:
    """Raises ValueError."""
    if text:
        from limits import parse  # noqa: PLC0415  (slow to import, rarely used)

        parse(text)
    return text


def _valid_root_path(text: str) -> str:
    """The path without a trailing slash. Raises ValueError."""
    path = text.rstrip("/")
    if path and not re.fullmatch(r"(/[\w.~-]+)+", path, re.ASCII):
        raise ValueError("it is a path such as /grader.")
    return path


# Comma-separated.
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(parse_keys)]
NotifyUrls = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(parse_notify_urls)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_origins)]
# Which engine runs the model; "auto": the fastest on this processor.
EngineName = Literal["auto", "litert", "openvino"]
# "gate": the run itself promotes what passes the gate.
Promoter = Literal["gate", "person"]
# What a trigger does when its condition holds. With start_and_promote the gate may promote what the
# run makes; with start a person has to.
TriggerMode = Literal["off", "suggest", "start", "start_and_promote"]
# A century: with much longer periods, dates would be out of range.
LONGEST_DAYS = 36_500


class Settings(BaseSettings):
    """Everything that differs between deployments. Documented in docs/SETTINGS.md."""

    model_config = SettingsConfigDict(
        env_prefix="RIPELINE_",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        # The invalid value may be a secret.
        hide_input_in_errors=True,
    )

    # Where `python -m api` listens.
    host: str = "127.0.0.1"
    port: int = Field(
        default=8000, ge=0, lt=65536, validation_alias=AliasChoices("RIPELINE_API_PORT", "PORT")
    )
    # auto: readable lines on a terminal, JSON elsewhere.
    log_format: Annotated[LogFormat, BeforeValidator(str.lower)] = "auto"
    log_level: Annotated[LogLevel, BeforeValidator(str.lower)] = "info"
    # One line per request; a reverse proxy logs them more cheaply.
    access_log: bool = False
    # Path under which a proxy exposes the service, such as /grader, whether the proxy strips it or
    # not.
    root_path: Annotated[str, AfterValidator(_valid_root_path)] = ""
    # Comma-separated addresses or networks of proxies whose X-Forwarded-* headers are trusted.
    trusted_proxies: str = ""
    # API keys, sent as a bearer token or X-API-Key. All may predict and read; data keys may also
    # change the data, models keys the models, change keys both. None: no auth.
    predict_keys: Keys = Field(default=(), repr=False)
    data_keys: Keys = Field(default=(), repr=False)
    models_keys: Keys = Field(default=(), repr=False)
    change_keys: Keys = Field(default=(), repr=False)
    # Allow listening on an address that other machines can reach without API keys.
    allow_open: bool = False
    # Origins whose pages may call the API from a browser.
    cors_origins: Origins = ()
    # Per key, or per address without one, such as 60/second. Empty: no limit.
    rate_limit: Annotated[str, AfterValidator(_valid_rate)] = ""

    # Who promotes a version from a run once it has passed the gate.
    promote: Promoter = "gate"
    # Mode of triggers that nobody has configured; PUT /triggers/{name} overrides it.
    trigger_mode: Annotated[TriggerMode, BeforeValidator(str.lower)] = "suggest"

    # Receivers of notifications: addresses of Apprise, such as mailto://, slack:// and json://.
    notify: NotifyUrls = Field(default=(), repr=False)

    model_dir: Path = PROJECT / "models" / "default"
    state_dir: Path = PROJECT / "state"
    # Folder of crossvalidation.json and comparison.json, the measurements of the recipe.
    report_dir: Path = PROJECT / "docs"
    # Empty: SQLite in the state folder.
    database_url: str = Field(
        default="",
        repr=False,
        validation_alias=AliasChoices("DATABASE_URL", "RIPELINE_DATABASE_URL"),
    )
    # Empty: a folder in the state folder.
    storage_url: str = Field(
        default="",
        validation_alias=AliasChoices("STORAGE_URL", "RIPELINE_STORAGE_URL"),
        repr=False,
    )
    # Retention period of graded photos. While stored, feedback can turn one into a training image.
    keep_predicted_days: float = Field(default=30, ge=0, le=LONGEST_DAYS)
    # Retention period of inspections; their photos go with the other graded ones.
    keep_inspections_days: float = Field(default=365, gt=0, le=LONGEST_DAYS)
    # How long removed training photos and inspections can be restored.
    keep_removed_days: float = Field(default=7, ge=0, le=LONGEST_DAYS)
    # Share of predictions drawn at random to ask people about, which gives the accuracy in use.
    sampled_share: float = Field(default=0.02, ge=0, le=1)
    # An alert is raised if a shadow version agrees significantly less often with the one in use.
    shadow_min_agreement: float = Field(default=0.9, ge=0, le=1)
    ui_url: str = "http://127.0.0.1:8501"
    max_body_bytes: int = Field(default=25 * 2**20, gt=0)
    # For training uploads: many photos, or a zip.
    max_upload_bytes: int = Field(default=512 * 2**20, gt=0)
    max_zip_files: int = Field(default=10_000, gt=0)
    max_zip_bytes: int = Field(default=2**30, gt=0)
    max_pixels: int = Field(default=MAX_PIXELS, gt=0)
    engine: Annotated[EngineName, BeforeValidator(str.lower)] = "auto"
    inference_threads: int = Field(default_factory=usable_cores, gt=0)
    # Photos that may wait to be graded, and for how long; beyond either, 503.
    max_queue: int = Field(default=256, gt=0)
    max_wait_seconds: float = Field(default=10, gt=0)
    # Time to receive a request's headers, and its body, plus one second per 16 KiB received; then
    # 408.
    body_seconds: float = Field(default=20, gt=0)
    # Freshness scores, 0 to 1, below which fruit is rotten and from which it is fresh. Set both or
    # neither; PUT /freshness-thresholds overrides them.
    rotten_below: float | None = None
    fresh_from: float | None = None
    # After SIGTERM, how long /ready answers 503 for load balancers to notice before shutdown.
    drain_seconds: float = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _both_thresholds(self) -> Self:
        if self.rotten_below is None and self.fresh_from is None:
            return self
        if self.rotten_below is None or self.fresh_from is None:
            raise ValueError("RIPELINE_ROTTEN_BELOW and RIPELINE_FRESH_FROM go together: set both.")
        if problem := threshold_error(self.rotten_below, self.fresh_from):
            raise ValueError(f"RIPELINE_ROTTEN_BELOW, RIPELINE_FRESH_FROM: {problem}")
        return self

    @property
    def level_thresholds(self) -> LevelThresholds | None:
        """The freshness thresholds of this deployment; None for those of the model."""
        if self.rotten_below is None:
            return None
        return LevelThresholds(self.rotten_below, self.fresh_from)

    @property
    def has_keys(self) -> bool:
        return bool(self.predict_keys or self.data_keys or self.models_keys or self.change_keys)

    @property
    def database(self) -> str:
        """URL of the catalog's database."""
        return self.database_url or f"sqlite:///{self.state_dir.resolve() / 'catalog.db'}"

    @property
    def storage(self) -> str:
        """URL or path of the blob store."""
        return self.storage_url or str(self.state_dir.resolve() / "blobs")

    @property
    def model_cache(self) -> Path:
        """This machine's cache of model packages from the blob store."""
        return self.state_dir.resolve() / "cache" / "models"


@cache
def get_settings() -> Settings:
    return Settings()
