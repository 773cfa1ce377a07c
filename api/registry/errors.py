"""What can be wrong with a request about model versions."""

from http import HTTPStatus

from api.errors import ProblemError


class UnknownModelError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "unknown-model"

    def __init__(self, version: str) -> None:
        super().__init__(f"There is no model version '{version[:80]}'. GET /models lists them.")


class PrunedModelError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "model-pruned"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The files of version '{version}' were removed to make room, so it cannot serve. "
            "GET /models lists the versions that can; POST /models/{version}/promote takes one."
        )


class DamagedModelError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "model-damaged"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The files of version '{version}' are damaged, so it cannot serve; the service log "
            "says which. Promote another version: GET /models lists them."
        )


class NothingToRollBackToError(ProblemError):
    status = HTTPStatus.CONFLICT
    code = "nothing-to-roll-back-to"

    def __init__(self) -> None:
        super().__init__(
            "No version served before the present one. GET /models lists the versions; "
            "POST /models/{version}/promote takes one."
        )
