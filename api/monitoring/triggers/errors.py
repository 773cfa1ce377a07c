"""What can be wrong with a request about triggers."""

from collections.abc import Iterable
from http import HTTPStatus

from api.errors import ProblemError


class UnknownTriggerError(ProblemError):
    status = HTTPStatus.NOT_FOUND
    code = "unknown-trigger"

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(f"There is no trigger '{name[:40]}'. There are: {', '.join(names)}.")


class BadTriggerSettingError(ProblemError):
    """It would do for another trigger."""

    status = HTTPStatus.CONFLICT
    code = "bad-trigger-setting"
