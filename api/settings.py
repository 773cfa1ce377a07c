"""Settings from the environment, under the prefix RIPELINE_ but for the two that hosts set."""

import os
from functools import cache
from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.imaging.decode import MAX_PIXELS

PROJECT = Path(__file__).resolve().parent.parent


def usable_cores() -> int:
    """As many as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """Everything that differs from one deployment to another."""

    model_config = SettingsConfigDict(
        env_prefix="RIPELINE_", env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    model_dir: Path = PROJECT / "models" / "default"
    state_dir: Path = PROJECT / "state"
    # Where crossvalidation.json and comparison.json lie: what was measured of the recipe.
    report_dir: Path = PROJECT / "docs"
    # Empty: a file in the state folder.
    database_url: str = Field(
        default="", validation_alias=AliasChoices("DATABASE_URL", "RIPELINE_DATABASE_URL")
    )
    # Empty: a folder in the state folder.
    storage_url: str = Field(
        default="", validation_alias=AliasChoices("STORAGE_URL", "RIPELINE_STORAGE_URL")
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
    # After SIGTERM: for so long /ready says 503, for load balancers to see, before it ends.
    drain_seconds: float = Field(default=1, ge=0)

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
