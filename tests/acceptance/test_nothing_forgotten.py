"""What the grader knew before a run, it knows after it: graded over HTTP, before and after."""

import httpx
import pytest

from tests.acceptance.test_learning_loop import (
    jpegs,
    predictions,
    retrain,
    upload,
    wait_until_served,
)
from tests.ood_images import draw_ood
from tests.synthetic_images import KINDS, draw_fruit

pytestmark = pytest.mark.slow
EACH = 20
SURE = 0.9


def test_old_classes_are_graded_as_before_a_new_one(client: httpx.Client) -> None:
    images = jpegs(draw_fruit(kind, seed=500 + n) for kind in KINDS for n in range(EACH))
    before = predictions(client, images)
    upload(client, "novelty", jpegs(draw_ood("rings", seed) for seed in range(60)))
    run = retrain(client)
    assert run["verdict"]["promote"], run["verdict"]["reasons"]
    wait_until_served(client, run["candidate"])
    after = predictions(client, images)

    # Drawings are not photos, and some lie between two classes: those of which it was sure.
    sure = [
        (was["predicted_class"], now["predicted_class"])
        for was, now in zip(before, after, strict=True)
        if was["confidence"] >= SURE
    ]
    changed = [(was, now) for was, now in sure if was != now]
    assert len({was for was, _ in sure}) >= 2
    assert len(sure) >= EACH
    assert changed == []
    assert "novelty" not in {now["predicted_class"] for now in after}
