"""What the catalog has that a version has not learned."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from api.registry.package import REPLAY, read_manifest
from api.registry.replay import learned_labels


@dataclass(frozen=True)
class News:
    """New images by class; how many have another label now, and how many were removed."""

    added: dict[str, int]
    relabelled: int
    removed: int

    @property
    def any(self) -> bool:
        return bool(self.added or self.relabelled or self.removed)


def news(labels: Mapping[str, str], package: Path) -> News:
    """Compare the catalog's `labels`, by SHA-256, with what the version in `package` learned."""
    learned, of_catalog = _learned(package)
    added = Counter(name for sha256, name in labels.items() if sha256 not in learned)
    return News(
        added=dict(sorted(added.items())),
        relabelled=sum(learned.get(sha256, name) != name for sha256, name in labels.items()),
        removed=len(of_catalog - labels.keys()),
    )


@lru_cache(maxsize=2)  # A package never changes.
def _learned(package: Path) -> tuple[dict[str, str], frozenset[str]]:
    return learned_labels(package / REPLAY, read_manifest(package).classes)
