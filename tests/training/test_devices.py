"""Training on several devices: the CPU as two logical devices.

Runs in its own process, because TensorFlow fixes its devices at the first operation.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from api.settings import PROJECT
from api.training import devices
from tests.training.drawn import draw_corpus

SCRIPT = """
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

processor = tf.config.list_physical_devices("CPU")[0]
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(processor, halves)

from api.training import devices
from api.training.corpus import read_corpus
from api.training.recipe import Recipe
from api.training.train import train

devices.list_gpus = lambda: ["CPU:0", "CPU:1"]
corpus = read_corpus(Path(sys.argv[1]))
recipe = Recipe(
    architecture="custom_cnn", weights="none", input_size=32, epochs=1, views=64, batch_size=16
)
trained = train(recipe, corpus.training_split())
pictures = np.zeros((3, 32, 32, 3), np.uint8)
print(trained.backbone.predict_on_batch(pictures).shape[0])
norm = trained.backbone.get_layer("custom_cnn").get_layer("stage0_bn")
print(float(np.abs(norm.moving_mean).max()) > 0)
"""


def test_uneven_batch_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "list_gpus", lambda: ["CPU:0", "CPU:1"])
    with pytest.raises(devices.UnevenBatchError, match="multiple of 2"):
        devices.strategy(15)
    assert devices.round_down(7) == 6
    assert devices.round_down(64) == 64


def test_one_device_has_one_replica() -> None:
    assert devices.strategy(15).num_replicas_in_sync == 1
    assert devices.round_down(7) == 7


@pytest.mark.slow
def test_trained_on_two_devices_runs_on_one(tmp_path: Path) -> None:
    draw_corpus(tmp_path, 24)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout.split() == ["3", "True"], done.stderr
