"""Settings from the environment, each under the prefix RIPELINE_."""

import os
from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.imaging.decode import MAX_PIXELS

PROJECT = Path(__file__).resolve().parent.parent


def usable_cores() -> int:
    """As many as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """Everything that differs from one deployment to another."""

    model_config = SettingsConfigDict(env_prefix="RIPELINE_", env_ignore_empty=True, extra="ignore")

    model_dir: Path = PROJECT / "models" / "default"
    state_dir: Path = PROJECT / "state"
    ui_url: str = "http://127.0.0.1:8501"
    max_body_bytes: int = Field(default=25 * 2**20, gt=0)
    max_pixels: int = Field(default=MAX_PIXELS, gt=0)
    inference_threads: int = Field(default_factory=usable_cores, gt=0)


@cache
def get_settings() -> Settings:
    return Settings()
