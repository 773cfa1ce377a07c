"""What can be wrong with a word on a prediction."""

from http import HTTPStatus

from api.errors import ProblemError


class UnclearFeedbackError(ProblemError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unclear-feedback"

    def __init__(self) -> None:
        super().__init__(
            'Send either the right class, {"label": "freshapples"}, or {"correct": true} where '
            "the prediction was right."
        )
