"""Dealing a corpus for a measurement: what one grader may learn, and what it is measured on.

What is held out is neither learned from nor validated on. Of the rest, the validation split is
validated on and all else is learned from, the test split too: the default package's own test
photographs mean nothing to another grader.
"""

from collections.abc import Callable
from dataclasses import dataclass

from api.core.splits import SPLITS
from api.training.corpus import TrainingCorpus, TrainingSplit
from api.training.samples import Sample

Held = Callable[[Sample], bool]


@dataclass(frozen=True)
class Material:
    """All samples of a corpus, one a photograph, one a boxed fruit, one a file of no class."""

    photographs: list[Sample]
    boxed: list[Sample]
    near: list[Sample]
    far: list[Sample]

    @classmethod
    def of(cls, corpus: TrainingCorpus) -> "Material":
        return cls(
            photographs=[item for split in SPLITS for item in corpus.photographs(split)],
            boxed=[item for split in SPLITS for item in corpus.boxed(split)],
            near=[item for split in SPLITS for item in corpus.near_misses(split)],
            far=[item for split in SPLITS for item in corpus.far(split)],
        )

    @property
    def fruit(self) -> list[Sample]:
        """What is of the classes."""
        return [*self.photographs, *self.boxed]

    @property
    def everything(self) -> list[Sample]:
        return [*self.fruit, *self.near, *self.far]

    def held(self, held: Held) -> list[Sample]:
        """What is held out."""
        return [sample for sample in self.everything if held(sample)]


def study_without(corpus: TrainingCorpus, held: Held) -> TrainingSplit:
    """What a grader may see that must not see what is `held`."""
    parts: dict[str, list[Sample]] = {}
    for split in SPLITS:
        validated = split == "validation"
        fruit = corpus.file_samples(split) if validated else corpus.photographs(split)
        others = [*corpus.boxed(split), *corpus.near_misses(split), *corpus.far(split)]
        parts[split] = [sample for sample in [*fruit, *others] if not held(sample)]
    return TrainingSplit(
        classes=corpus.classes,
        training=[*parts["train"], *parts["test"]],
        validation=parts["validation"],
    )
