"""The app's API models match the OpenAPI document, and accept responses of other API releases."""

import pytest
from api_models import Prediction, Problem, Run

from scripts.api_models import FILE, generated
from tests.ui.fake_api import PREDICTION
from tests.ui.fake_learning import RUN


@pytest.mark.slow
def test_committed_models_match_the_openapi_document() -> None:
    assert FILE.read_text(encoding="utf-8") == generated(), "run: make api-models"


def test_nullable_fields_may_be_missing_from_an_older_service() -> None:
    older = {name: value for name, value in PREDICTION.items() if value is not None}
    del older["freshness_level"]

    assert Prediction.model_validate(older).freshness_level is None
    assert Problem.model_validate({"detail": "It was cut off."}).code is None


def test_unknown_fields_of_a_newer_service_are_ignored() -> None:
    assert Run.model_validate(RUN | {"newer": [1]}) == Run.model_validate(RUN)
