"""Why a request is turned away before anything of it is read."""

from http import HTTPStatus

from api.errors import ProblemError

HOW = "as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'"


class KeyNeededError(ProblemError):
    status = HTTPStatus.UNAUTHORIZED
    code = "key-needed"

    def __init__(self, was_sent: bool) -> None:
        super().__init__(
            f"The API key is none that this service knows. Send one of its keys {HOW}."
            if was_sent
            else f"This needs an API key. Send it {HOW}."
        )


class ScopeError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "scope-too-small"

    def __init__(self) -> None:
        super().__init__(
            "This API key may grade and read, but not change anything. Send one of "
            f"RIPELINE_CHANGE_KEYS {HOW}."
        )


class ExposedError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "changes-are-closed"

    def __init__(self) -> None:
        super().__init__(
            "This address can be reached from other machines and no API key is set, so nothing can "
            "be changed through it. Set RIPELINE_CHANGE_KEYS for the service, or "
            "RIPELINE_ALLOW_OPEN=1 if everybody may."
        )


class CrossSiteError(ProblemError):
    status = HTTPStatus.FORBIDDEN
    code = "cross-site"

    def __init__(self) -> None:
        super().__init__(
            "A page of another site sent this request, in the name of whoever looks at it. Name "
            "the site in RIPELINE_CORS_ORIGINS if it may, or send an API key."
        )


class TooManyRequestsError(ProblemError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too-many-requests"

    def __init__(self, limit: str, seconds: int) -> None:
        super().__init__(
            f"More than {limit} from this client. Send the request again in {seconds} s."
        )
        self.retry_after_seconds = seconds
