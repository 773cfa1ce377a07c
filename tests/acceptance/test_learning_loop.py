"""The learning loop through real processes: upload, retrain, be judged, serve.

Drawn pictures by default. With RIPELINE_DATASET set, the unseen class is dogs: real photographs
of the folder of other things. How long it took is printed, never asserted.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.drawing import KINDS, draw_fruit, encode
from tests.fleet import Fleet
from tests.things import THINGS, draw_thing
from tests.waiting import until


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    """Overrides the client of other tests: a fresh catalog, API and worker as processes."""
    fleet = Fleet(tmp_path, {})
    try:
        fleet.start("api")
        fleet.start("worker")
        with httpx.Client(base_url=fleet.url, timeout=60, trust_env=False) as client:
            yield client
    finally:
        fleet.stop()


def upload(client: httpx.Client, class_name: str, pictures: Sequence[bytes]) -> dict[str, Any]:
    files = [("files", (f"{class_name}-{n}.jpg", data)) for n, data in enumerate(pictures)]
    answer = client.post("/upload-training-data", files=files, data={"class_name": class_name})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    assert not report["errors"], report["errors"]
    return report


def retrain(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    """Start a run and wait for its end."""
    answer = client.post("/retrain", json=asked)
    assert answer.status_code == 202, answer.text

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = client.get(f"/runs/{answer.json()['run_id']}").json()
        return None if run["state"] in ("queued", "running") else run

    run = until(ended)
    assert run["state"] == "succeeded", run["message"]
    return run


def wait_until_served(client: httpx.Client, version: str) -> None:
    until(lambda: client.get("/model-info").json()["model_info"]["version"] == version)


def asked(client: httpx.Client, pictures: Sequence[bytes]) -> list[dict[str, Any]]:
    answers = [client.post("/predict", files={"file": ("a.jpg", data)}) for data in pictures]
    return [answer.json() for answer in answers]


def graded(client: httpx.Client, pictures: Sequence[bytes]) -> list[str]:
    return [answer["predicted_class"] for answer in asked(client, pictures)]


def jpegs(pictures: Iterator[Any]) -> list[bytes]:
    return [encode(picture, "JPEG", quality=92) for picture in pictures]


def unseen_class() -> tuple[list[bytes], list[bytes]]:
    """Forty pictures to learn from and some more to try, of one thing that is no fruit."""
    folder = os.environ.get("RIPELINE_DATASET")
    dogs = dog_photographs(Path(folder)) if folder else []
    if len(dogs) > 60:
        return dogs[:40], dogs[40:]
    pictures = jpegs(draw_thing("rings", seed) for seed in range(80))
    return pictures[:40], pictures[40:]


def dog_photographs(root: Path) -> list[bytes]:
    """By the names that ImageNet gives to breeds."""
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
    found = [
        path
        for path in sorted((root / "not_fruit").glob("*.jpg"))
        if any(breed in path.stem.lower() for breed in breeds) and "hot" not in path.stem
    ]
    random.Random(1).shuffle(found)  # noqa: S311
    return [path.read_bytes() for path in found]


def test_a_new_class_is_learned_and_nothing_forgotten(
    client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    learned, others = unseen_class()
    known = client.get("/model-info").json()["model_info"]["classes"]
    began = time.monotonic()
    report = upload(client, "novelty", learned)
    run = retrain(client)
    assert run["verdict"]["promote"], run["verdict"]["reasons"]
    wait_until_served(client, run["candidate"])
    seconds = time.monotonic() - began
    figures = run["verdict"]["figures"]
    answers = asked(client, others)
    recall = sum(answer["predicted_class"] == "novelty" for answer in answers) / len(others)
    recognised = sum(answer["recognised"] for answer in answers) / len(others)
    fruits = jpegs(draw_fruit(kind, seed=900 + n) for kind in KINDS for n in range(100 // 6 + 1))
    began = time.monotonic()
    labels = [kind for kind in KINDS for _ in range(100 // 6 + 1)]
    for kind in KINDS:
        upload(
            client,
            kind,
            [data for data, label in zip(fruits, labels, strict=True) if label == kind],
        )
    again = retrain(client)
    if again["verdict"]["promote"]:
        wait_until_served(client, again["candidate"])
    more = time.monotonic() - began
    with capsys.disabled():
        print(
            f"\n{report['uploaded_count']} photographs of a new class uploaded, learned and served "
            f"in {seconds:.1f} s; of {len(others)} others {recall:.1%} are graded so and "
            f"{recognised:.1%} recognised; {figures}\n"
            f"{len(fruits)} of known classes: {more:.1f} s, {again['verdict']['reasons']}"
        )
    assert len(set(known)) == 6
    assert recall >= 0.9
    assert recognised >= 0.9


def test_a_different_set_gives_a_grader_of_its_classes(client: httpx.Client) -> None:
    for kind in THINGS:
        upload(client, kind, jpegs(draw_thing(kind, seed) for seed in range(40)))
    run = retrain(client, classes=list(THINGS))
    assert run["verdict"]["promote"], run["verdict"]["reasons"]
    wait_until_served(client, run["candidate"])
    assert client.get("/model-info").json()["model_info"]["classes"] == sorted(THINGS)
    unseen = {kind: jpegs(draw_thing(kind, seed) for seed in range(500, 515)) for kind in THINGS}
    right = [name == kind for kind in THINGS for name in graded(client, unseen[kind])]
    assert sum(right) / len(right) >= 0.9


def test_labels_shuffled_on_purpose_are_refused(client: httpx.Client) -> None:
    champion = client.get("/model-info").json()["model_info"]["version"]
    kinds = [kind for kind in KINDS for _ in range(20)]
    pictures = jpegs(draw_fruit(kind, seed=n) for n, kind in enumerate(kinds))
    labels = kinds.copy()
    random.Random(3).shuffle(labels)  # noqa: S311
    for kind in KINDS:
        chosen = [data for data, label in zip(pictures, labels, strict=True) if label == kind]
        upload(client, kind, chosen)
    run = retrain(client)
    assert run["verdict"]["promote"] is False
    assert run["verdict"]["reasons"]
    assert run["candidate"] in {
        model["version"] for model in client.get("/models").json()["models"]
    }
    assert client.get("/model-info").json()["model_info"]["version"] == champion
