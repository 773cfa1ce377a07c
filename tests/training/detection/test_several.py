"""The grader learns from drawn scenes to tell several fruits from one."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.core.imaging.resize import to_input
from api.core.several import SeveralFruits
from api.model.engines.litert import LiteRTBackbone
from api.model.package import load_package
from api.settings import PROJECT
from api.training.corpus import TrainingCorpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.several import fit_several
from tests.synthetic_images import draw_fruit
from tests.training.drawn import draw_corpus

pytestmark = pytest.mark.slow
RECIPE = DetectorRecipe(input_size=96, several_scenes=400)
SIDE = 160


@pytest.fixture(scope="module")
def backbone() -> LiteRTBackbone:
    return LiteRTBackbone(load_package(PROJECT / "models" / "default").backbone)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return draw_corpus(tmp_path_factory.mktemp("drawn"), 40)


def probability(several: SeveralFruits, backbone: LiteRTBackbone, picture: Image.Image) -> float:
    return float(several.probability(backbone(to_input(picture, SIDE)[None]))[0])


def test_drawn_trays_are_told_from_single_fruits(
    corpus: TrainingCorpus, backbone: LiteRTBackbone
) -> None:
    several = fit_several(RECIPE, corpus, backbone, SIDE)
    assert several is not None
    ones, trays = [], []
    for seed in range(900, 906):
        fruits = [draw_fruit("freshapples", seed=seed * 10 + k, size=SIDE) for k in range(4)]
        ones.append(probability(several, backbone, fruits[0]))
        tray = Image.new("RGB", (2 * SIDE, 2 * SIDE), "white")
        for k, fruit in enumerate(fruits):
            tray.paste(fruit, (k % 2 * SIDE, k // 2 * SIDE))
        trays.append(probability(several, backbone, tray))
    assert np.mean(trays) > 0.8
    assert np.mean(ones) < 0.2


def test_without_scenes_there_is_nothing_to_learn(
    tmp_path: Path, corpus: TrainingCorpus, backbone: LiteRTBackbone
) -> None:
    none = dataclasses.replace(RECIPE, several_scenes=0)
    assert fit_several(none, corpus, backbone, SIDE) is None
