"""HTTP calls that read responses into models and raise ApiError on failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import errors
import httpx
from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)


class HttpClient:
    """Calls the API at `address`. Thread-safe; close it when done.

    `key` is sent as a bearer token. Every method raises `ApiError` if there is no usable response.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout: float,
        key: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = address
        # The API is nearby: calls must not go through a proxy meant for the internet.
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else None,
            timeout=timeout,
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def call(self, answer: type[T], method: str, path: str, **options: Any) -> T:
        """Call an endpoint that returns one JSON document.

        `options` are those of `httpx.Client.request`: params, json, data, files, headers, timeout.
        """
        return self._parse(answer, self._response(method, path, **options).content)

    def send(self, method: str, path: str) -> None:
        """Call an endpoint that returns nothing."""
        self._response(method, path)

    def content(self, path: str, **options: Any) -> bytes:
        """The bytes at `path`, such as a photo."""
        return self._response("GET", path, **options).content

    def lines(
        self,
        line: type[T],
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Iterator[T]:
        """Call an endpoint that returns NDJSON, and yield each line as it arrives. A call that
        fails halfway raises after the lines that have arrived.
        """
        headers = (headers or {}) | {"Accept": "application/x-ndjson"}
        with (
            self._api_errors(),
            self._http.stream(
                method, f"{self.address}{path}", headers=headers, **options
            ) as response,
        ):
            if not response.is_success:
                response.read()
                raise errors.from_response(response, self.address)
            for text in response.iter_lines():
                if text:
                    yield self._parse(line, text)

    def _response(self, method: str, path: str, **options: Any) -> httpx.Response:
        with self._api_errors():
            response = self._http.request(method, f"{self.address}{path}", **options)
        if not response.is_success:
            raise errors.from_response(response, self.address)
        return response

    def _parse(self, answer: type[T], text: str | bytes) -> T:
        try:
            return answer.model_validate_json(text)
        except ValidationError as error:
            raise errors.unreadable_answer(self.address) from error

    @contextmanager
    def _api_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise errors.timed_out(self.address) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise errors.invalid_address(self.address) from error
        except httpx.HTTPError as error:
            raise errors.unreachable(self.address) from error
