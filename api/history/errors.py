"""What can be wrong with a request about earlier predictions."""

from http import HTTPStatus

from api.errors import ProblemError


class PredictionNotFoundError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "prediction-not-found"

    def __init__(self, prediction_id: str) -> None:
        super().__init__(
            f"There is no prediction '{prediction_id[:40]}'. Send the prediction_id that "
            "POST /predict gave, or one of GET /predictions."
        )


class PhotographGoneError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "photograph-gone"

    def __init__(self) -> None:
        super().__init__(
            "The photograph of this prediction is not kept (any more); "
            "RIPELINE_KEEP_PREDICTED_DAYS says for how long photographs are."
        )
