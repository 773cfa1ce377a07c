"""The default grader on real photographs that it has not seen, through a real server."""

from pathlib import Path

import httpx
import pytest

from api.training.corpus import read_corpus
from tests.processes import running_api

LEAST_RIGHT = 0.97


def test_default_model_grades_unseen_photographs(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = read_corpus(dataset)
    with running_api() as url:
        learned = httpx.get(f"{url}/model-info", trust_env=False).json()["model_info"]["data"]
    if corpus.fingerprint().sha256 != learned["sha256"]:
        pytest.skip("the default model was not made from this folder: it may know its test split")
    files = corpus.files("test")
    right: dict[str, list[bool]] = {}
    with running_api() as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        for file in files:
            data = (dataset / file.path).read_bytes()
            answer = client.post("/predict", files={"file": (file.path, data)})
            assert answer.status_code == 200, answer.text
            correct = answer.json()["predicted_class"] == file.class_name
            right.setdefault(file.photograph, []).append(correct)
    of_files = [correct for copies in right.values() for correct in copies]
    of_photographs = [all(copies) for copies in right.values()]
    with capsys.disabled():
        print(
            f"\nOver HTTP: {sum(of_files)} of {len(of_files)} files right "
            f"({sum(of_files) / len(of_files):.1%}); all copies right for "
            f"{sum(of_photographs)} of {len(of_photographs)} photographs "
            f"({sum(of_photographs) / len(of_photographs):.1%})"
        )
    assert sum(of_files) / len(of_files) >= LEAST_RIGHT
    assert sum(of_photographs) / len(of_photographs) >= LEAST_RIGHT
