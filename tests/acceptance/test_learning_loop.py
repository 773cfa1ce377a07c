"""The learning loop through real processes: upload, retrain, pass the gate, serve, forget nothing.

Uses drawn images by default. With RIPELINE_DATASET, the new class is real photos of dogs from its
folder not_fruit. The duration is printed, never asserted.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ood_images import OOD_KINDS, draw_ood
from tests.synthetic_images import KINDS, draw_fruit, encode
from tests.waiting import until

pytestmark = pytest.mark.slow
# Drawn fruits of each class, and the confidence above which a grade is sure.
EACH = 20
SURE = 0.9


def upload(client: httpx.Client, class_name: str, images: Sequence[bytes]) -> dict[str, Any]:
    files = [("files", (f"{class_name}-{n}.jpg", data)) for n, data in enumerate(images)]
    answer = client.post("/upload-training-data", files=files, data={"class_name": class_name})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    assert not report["errors"], report["errors"]
    return report


def retrain(client: httpx.Client, **options: Any) -> dict[str, Any]:
    """Start a run and wait for its end."""
    answer = client.post("/retrain", json=options)
    assert answer.status_code == 202, answer.text

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = client.get(f"/runs/{answer.json()['run_id']}").json()
        return None if run["state"] in ("queued", "running") else run

    run = until(ended)
    assert run["state"] == "succeeded", run["message"]
    return run


def wait_until_served(client: httpx.Client, version: str) -> None:
    until(lambda: client.get("/model-info").json()["model_info"]["version"] == version)


def predictions(client: httpx.Client, images: Sequence[bytes]) -> list[dict[str, Any]]:
    answers = [client.post("/predict", files={"file": ("a.jpg", data)}) for data in images]
    return [answer.json() for answer in answers]


def classes(client: httpx.Client, images: Sequence[bytes]) -> list[str]:
    return [answer["predicted_class"] for answer in predictions(client, images)]


def jpegs(images: Iterator[Any]) -> list[bytes]:
    return [encode(image, "JPEG", quality=92) for image in images]


def new_class() -> tuple[list[bytes], list[bytes]]:
    """Forty images to train on and more to test on, showing something that is not fruit."""
    folder = os.environ.get("RIPELINE_DATASET")
    dogs = dog_photos(Path(folder)) if folder else []
    if len(dogs) > 60:
        return dogs[:40], dogs[40:]
    images = jpegs(draw_ood("rings", seed) for seed in range(80))
    return images[:40], images[40:]


def dog_photos(root: Path) -> list[bytes]:
    """Files named after an ImageNet breed."""
    breeds = (
        *(
            "hound",
            "terrier",
            "spaniel",
            "retriever",
            "setter",
            "collie",
            "pointer",
            "dog",
            "basset",
        ),
        *("sheepdog", "schnauzer", "poodle", "mastiff", "pinscher", "corgi", "beagle", "husky"),
        *("chow", "pug", "boxer", "dane", "basenji", "whippet", "saluki", "vizsla", "briard"),
        *("kelpie", "komondor", "rottweiler", "samoyed", "keeshond", "malamute", "bouvier"),
        *("appenzeller", "entlebucher", "groenendael", "malinois", "kuvasz", "papillon"),
        *("pekinese", "shih", "chihuahua", "pomeranian", "leonberg", "newfoundland", "borzoi"),
        *("bluetick", "redbone", "affenpinscher", "dalmatian", "clumber", "schipperke"),
    )
    paths = [
        path
        for path in sorted((root / "not_fruit").glob("*.jpg"))
        if any(breed in path.stem.lower() for breed in breeds) and "hot" not in path.stem
    ]
    random.Random(1).shuffle(paths)  # noqa: S311
    return [path.read_bytes() for path in paths]


def test_new_class_is_learned_and_nothing_is_forgotten(
    client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    trained_on, unseen = new_class()
    fruits = jpegs(draw_fruit(kind, seed=500 + n) for kind in KINDS for n in range(EACH))
    before = predictions(client, fruits)
    began = time.monotonic()
    report = upload(client, "novelty", trained_on)
    run = retrain(client)
    assert run["verdict"]["promote"], run["verdict"]["reasons"]
    wait_until_served(client, run["candidate"])
    seconds = time.monotonic() - began
    answers = predictions(client, unseen)
    recall = sum(answer["predicted_class"] == "novelty" for answer in answers) / len(unseen)
    recognised = sum(answer["recognised"] for answer in answers) / len(unseen)
    with capsys.disabled():
        print(
            f"\nFrom upload to serving {seconds:.1f} s for {report['uploaded_count']} images of a "
            f"new class; recall {recall:.1%} on {len(unseen)} others, {recognised:.1%} recognised; "
            f"{run['verdict']['figures']}"
        )
    assert recall >= 0.9
    assert recognised >= 0.9

    after = predictions(client, fruits)
    # Only those it was sure of: drawings are not photos, and some lie between two classes.
    sure = [
        (was["predicted_class"], now["predicted_class"])
        for was, now in zip(before, after, strict=True)
        if was["confidence"] >= SURE
    ]
    assert len({was for was, _ in sure}) >= 2
    assert len(sure) >= EACH
    assert [(was, now) for was, now in sure if was != now] == []
    assert "novelty" not in {now["predicted_class"] for now in after}


def test_version_without_known_classes_serves_only_after_manual_promotion(
    client: httpx.Client,
) -> None:
    for kind in OOD_KINDS:
        upload(client, kind, jpegs(draw_ood(kind, seed) for seed in range(40)))
    run = retrain(client, classes=list(OOD_KINDS))
    assert not run["verdict"]["promote"]
    assert sum("does not know the class" in reason for reason in run["verdict"]["reasons"]) >= 6
    client.post(f"/models/{run['candidate']}/promote").raise_for_status()
    wait_until_served(client, run["candidate"])
    assert client.get("/model-info").json()["model_info"]["classes"] == sorted(OOD_KINDS)
    unseen = {kind: jpegs(draw_ood(kind, seed) for seed in range(500, 515)) for kind in OOD_KINDS}
    right = [name == kind for kind in OOD_KINDS for name in classes(client, unseen[kind])]
    assert sum(right) / len(right) >= 0.9


def test_candidate_trained_on_shuffled_labels_is_rejected(client: httpx.Client) -> None:
    champion = client.get("/model-info").json()["model_info"]["version"]
    kinds = [kind for kind in KINDS for _ in range(20)]
    images = jpegs(draw_fruit(kind, seed=n) for n, kind in enumerate(kinds))
    labels = kinds.copy()
    random.Random(3).shuffle(labels)  # noqa: S311
    for kind in KINDS:
        of_label = [data for data, label in zip(images, labels, strict=True) if label == kind]
        upload(client, kind, of_label)
    run = retrain(client)
    assert run["verdict"]["promote"] is False
    assert run["verdict"]["reasons"]
    assert run["candidate"] in {
        model["version"] for model in client.get("/models").json()["models"]
    }
    assert client.get("/model-info").json()["model_info"]["version"] == champion
