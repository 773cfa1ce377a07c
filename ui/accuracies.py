"""The accuracies that a model package reports of itself, each with what it was measured on."""

from collections.abc import Iterator, Mapping
from typing import Any

from words import percent, sentence, spaced


def accuracies(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every `accuracy` in the nested `metrics`: where it stands, in words, and its value.

    `{"test": {"accuracy": 0.98, "files": 520, "photographs": 215}}` gives
    `[("Test", "98.0 % of 520 files of 215 photographs")]`.
    """
    return list(_walk(metrics, ()))


def _walk(metrics: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    value = metrics.get("accuracy")
    if isinstance(value, int | float):
        counts = [
            f" of {metrics[name]:,} {name}"
            for name in ("files", "photographs")
            if isinstance(metrics.get(name), int)
        ]
        yield sentence(spaced(", ".join(path)) or "accuracy"), "".join([percent(value), *counts])
    for name, part in metrics.items():
        if isinstance(part, Mapping):
            yield from _walk(part, (*path, name))
