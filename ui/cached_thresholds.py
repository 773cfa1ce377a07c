"""The freshness thresholds of versions by fruit, and their sweeps, cached for a few seconds."""

import cached_api
import streamlit as st
from api_models import FruitThresholds, LevelCosts, ThresholdSweep, VersionThresholds


@st.cache_data(ttl=5, max_entries=8, show_spinner=False)
def of_version(version: str) -> VersionThresholds:
    """The thresholds of each fruit."""
    return cached_api.models().version_thresholds(version)


@st.cache_data(ttl=10, max_entries=64, show_spinner=False)
def sweep(version: str, fruit: str, line: str, costs: dict[str, float]) -> ThresholdSweep:
    """What each threshold of a fruit gets wrong."""
    return cached_api.models().threshold_sweep(version, fruit, line, costs)


def save(
    version: str, fruit: str, *, rotten_below: float, fresh_from: float, costs: LevelCosts
) -> FruitThresholds:
    """Set both scores (0 to 1) of a fruit in a version."""
    try:
        return cached_api.models().set_fruit_thresholds(
            version, fruit, rotten_below=rotten_below, fresh_from=fresh_from, costs=costs
        )
    finally:
        clear()


def reset(version: str, fruit: str) -> FruitThresholds:
    """Grade the fruit by the thresholds of all fruits again."""
    try:
        return cached_api.models().reset_fruit_thresholds(version, fruit)
    finally:
        clear()


def carry_over(other: str, version: str) -> VersionThresholds:
    """Copy from the `other` version the thresholds of fruits that have none in this version."""
    try:
        return cached_api.models().copy_thresholds(other, version)
    finally:
        clear()


def clear() -> None:
    """Clear what a change of a threshold may have changed."""
    of_version.clear()
    sweep.clear()
