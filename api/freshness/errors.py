"""What can be wrong with a request about freshness thresholds."""

from http import HTTPStatus

from api.errors import ProblemError


class BadThresholdsError(ProblemError):
    """Each number would do, but not with the other."""

    status = HTTPStatus.CONFLICT
    code = "bad-thresholds"
