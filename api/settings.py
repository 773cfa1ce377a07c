"""Settings from the environment, under the prefix RIPELINE_ but for the two that hosts set."""

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.core.api_keys import accepted_keys, accepted_origins
from api.core.freshness_levels import LevelThresholds, problem_of
from api.core.imaging.decode import MAX_PIXELS

PROJECT = Path(__file__).resolve().parent.parent


def usable_cores() -> int:
    """As many as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rate(text: str) -> str:
    """Raises ValueError for what is no rate."""
    if text:
        from limits import parse  # noqa: PLC0415  (it takes a while, and few ask for it)

        parse(text)
    return text


# Written with commas between them.
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(accepted_keys)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(accepted_origins)]


class Settings(BaseSettings):
    """Everything that differs from one deployment to another."""

    model_config = SettingsConfigDict(
        env_prefix="RIPELINE_",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        # What is wrong may be a secret.
        hide_input_in_errors=True,
    )

    # Where `python -m api` listens.
    host: str = "127.0.0.1"
    port: int = Field(
        default=8000, ge=0, lt=65536, validation_alias=AliasChoices("RIPELINE_API_PORT", "PORT")
    )
    # A line for each request; a proxy in front writes them more cheaply.
    access_log: bool = False
    # Proxies whose word on the client's address is believed: addresses or networks, with commas.
    trusted_proxies: str = ""
    # Sent as a bearer token or as X-API-Key. Who may change may also predict; none: all is open.
    predict_keys: Keys = Field(default=(), repr=False)
    change_keys: Keys = Field(default=(), repr=False)
    # Let everybody change everything, also on an address that other machines reach.
    allow_open: bool = False
    # The sites whose pages may call the service from a browser.
    cors_origins: Origins = ()
    # For each key, or each address without one, such as 60/second; empty: none.
    rate_limit: Annotated[str, AfterValidator(_rate)] = ""

    model_dir: Path = PROJECT / "models" / "default"
    state_dir: Path = PROJECT / "state"
    # Where crossvalidation.json and comparison.json lie: what was measured of the recipe.
    report_dir: Path = PROJECT / "docs"
    # Empty: a file in the state folder.
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
    # For so long a graded photograph is kept, so that a correction can make it a training image.
    keep_predicted_days: float = Field(default=30, ge=0)
    ui_url: str = "http://127.0.0.1:8501"
    max_body_bytes: int = Field(default=25 * 2**20, gt=0)
    # An upload of training photographs holds many of them, or a zip.
    max_upload_bytes: int = Field(default=512 * 2**20, gt=0)
    max_zip_files: int = Field(default=10_000, gt=0)
    max_zip_bytes: int = Field(default=2**30, gt=0)
    max_pixels: int = Field(default=MAX_PIXELS, gt=0)
    inference_threads: int = Field(default_factory=usable_cores, gt=0)
    # So many photographs may wait to be graded, each for so long; then it is 503.
    max_queue: int = Field(default=256, gt=0)
    max_wait_seconds: float = Field(default=10, gt=0)
    # A body may take so long, and a second more for every 16 KiB of it that came; then it is 408.
    body_seconds: float = Field(default=20, gt=0)
    # Where fresh ends and rotten begins, as long as nobody sets it (/freshness-thresholds): scores
    # between 0 and 1, both or none of them.
    rotten_below: float | None = None
    fresh_from: float | None = None
    # After SIGTERM: for so long /ready says 503, for load balancers to see, before it ends.
    drain_seconds: float = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _both_thresholds(self) -> Self:
        if self.rotten_below is None and self.fresh_from is None:
            return self
        if self.rotten_below is None or self.fresh_from is None:
            raise ValueError("RIPELINE_ROTTEN_BELOW and RIPELINE_FRESH_FROM go together: set both.")
        if problem := problem_of(self.rotten_below, self.fresh_from):
            raise ValueError(f"RIPELINE_ROTTEN_BELOW, RIPELINE_FRESH_FROM: {problem}")
        return self

    @property
    def level_thresholds(self) -> LevelThresholds | None:
        """The freshness thresholds of this deployment; None where those of the model hold."""
        if self.rotten_below is None:
            return None
        return LevelThresholds(self.rotten_below, self.fresh_from)

    @property
    def has_keys(self) -> bool:
        return bool(self.predict_keys or self.change_keys)

    @property
    def database(self) -> str:
        """The address of the catalog."""
        return self.database_url or f"sqlite:///{self.state_dir.resolve() / 'catalog.db'}"

    @property
    def storage(self) -> str:
        """The address of photographs and model packages."""
        return self.storage_url or str(self.state_dir.resolve() / "blobs")

    @property
    def model_cache(self) -> Path:
        """Where this machine keeps its copies of stored model packages."""
        return self.state_dir.resolve() / "cache" / "models"


@cache
def get_settings() -> Settings:
    return Settings()
