"""The only door to the API: typed calls, and `ApiProblem` for whatever goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
import problems
from answers import Health, ModelInfo, Prediction
from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)


class ApiClient:
    """Calls one Ripeline API. Safe to share between threads; close it when done.

    `key` is what an API that has keys lets the app in by. Every method raises `ApiProblem` where no
    usable answer came.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout: float,
        health_timeout: float,
        key: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = address
        self._health_timeout = health_timeout
        # The API is a neighbour: a proxy set for the way to the internet must not catch the call.
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else None,
            timeout=timeout,
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def predict(self, name: str, photograph: bytes, *, explain: bool = False) -> Prediction:
        """Grade the bytes of one photograph; `name` is its file name."""
        return self.call(
            Prediction,
            "POST",
            "/predict",
            files={"file": (name, photograph)},
            params={"explain": explain} if explain else None,
        )

    def health(self) -> Health:
        """Ask how the service is, without waiting long."""
        return self.call(Health, "GET", "/health", timeout=self._health_timeout)

    def model_info(self) -> ModelInfo:
        """Ask which model answers, and how good it is."""
        return self.call(ModelInfo, "GET", "/model-info")

    def call(self, answer: type[T], method: str, path: str, **options: Any) -> T:
        """Call any endpoint that answers with one JSON document.

        `options` are those of `httpx.Client.request`: params, json, data, files, headers, timeout.
        """
        return self._read(answer, self._response(method, path, **options).content)

    def content(self, path: str, **options: Any) -> bytes:
        """The bytes at `path`, such as a photograph."""
        return self._response("GET", path, **options).content

    def lines(self, line: type[T], method: str, path: str, **options: Any) -> Iterator[T]:
        """Call an endpoint that answers with NDJSON, and give each line as soon as it is there.

        A call that fails halfway raises after the lines that came.
        """
        headers = {"Accept": "application/x-ndjson"}
        with (
            self._in_words(),
            self._http.stream(
                method, f"{self.address}{path}", headers=headers, **options
            ) as response,
        ):
            if not response.is_success:
                response.read()
                raise problems.refused(response, self.address)
            for text in response.iter_lines():
                if text:
                    yield self._read(line, text)

    def _response(self, method: str, path: str, **options: Any) -> httpx.Response:
        with self._in_words():
            response = self._http.request(method, f"{self.address}{path}", **options)
        if not response.is_success:
            raise problems.refused(response, self.address)
        return response

    def _read(self, answer: type[T], text: str | bytes) -> T:
        try:
            return answer.model_validate_json(text)
        except ValidationError as error:
            raise problems.not_understood(self.address) from error

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise problems.too_slow(self.address) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise problems.not_an_address(self.address) from error
        except httpx.HTTPError as error:
            raise problems.unreachable(self.address) from error
