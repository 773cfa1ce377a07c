import numpy as np

from api.evaluation.figures import MOST, worst_mistakes
from api.training.class_folders import PhotoFile

CLASSES = ("freshapples", "rottenapples")


def row(path: str, photograph: str) -> PhotoFile:
    return PhotoFile(path, "freshapples", "", photograph, "test", 1, 1, 1, "", "")


def test_the_surest_wrong_answer_comes_first_and_each_photograph_once() -> None:
    files = [row("1.jpg", "a"), row("2.jpg", "b"), row("3.jpg", "b"), row("4.jpg", "c")]
    sure = np.array([0.6, 0.7, 0.9, 0.2], np.float32)
    found = worst_mistakes(np.stack([1 - sure, sure], axis=1), np.zeros(4, int), CLASSES, files)
    assert [entry["file"] for entry in found] == ["3.jpg", "1.jpg"]
    assert found[0] == {
        "file": "3.jpg",
        "true": "freshapples",
        "predicted": "rottenapples",
        "confidence": 0.9,
        "copies_wrong": 2,
    }


def test_the_list_is_short() -> None:
    files = [row(f"{k}.jpg", str(k)) for k in range(40)]
    probabilities = np.tile(np.array([[0.1, 0.9]], np.float32), (40, 1))
    assert len(worst_mistakes(probabilities, np.zeros(40, int), CLASSES, files)) == MOST
