"""The default model on unseen photos, through a real server."""

from pathlib import Path

import httpx
import pytest

from api.training.corpus import read_corpus
from tests.processes import running_api
from tests.waiting import ANSWER_SECONDS

pytestmark = pytest.mark.slow

MIN_ACCURACY = 0.97


def test_default_model_grades_unseen_photos(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = read_corpus(dataset)
    correct: dict[str, list[bool]] = {}
    with (
        running_api() as url,
        httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as client,
    ):
        trained_on = client.get("/model-info").json()["model_info"]["data"]
        if corpus.fingerprint().sha256 != trained_on["sha256"]:
            pytest.skip("the default model was trained on other files, perhaps on these")
        for file in corpus.files("test"):
            data = (dataset / file.path).read_bytes()
            answer = client.post("/predict", files={"file": (file.path, data)})
            assert answer.status_code == 200, answer.text
            is_correct = answer.json()["predicted_class"] == file.class_name
            correct.setdefault(file.photograph, []).append(is_correct)
    by_file = [one for copies in correct.values() for one in copies]
    by_photo = [all(copies) for copies in correct.values()]
    with capsys.disabled():
        print(
            f"\nOver HTTP: {sum(by_file)} of {len(by_file)} files correct "
            f"({sum(by_file) / len(by_file):.1%}); all copies correct for "
            f"{sum(by_photo)} of {len(by_photo)} photos "
            f"({sum(by_photo) / len(by_photo):.1%})"
        )
    assert sum(by_file) / len(by_file) >= MIN_ACCURACY
    assert sum(by_photo) / len(by_photo) >= MIN_ACCURACY
