"""The only door to the API: typed calls, and `ApiProblem` for whatever goes wrong."""

from typing import Any, TypeVar

import httpx
import problems
from answers import Answer, Health, ModelInfo, Prediction
from pydantic import ValidationError

T = TypeVar("T", bound=Answer)


class ApiClient:
    """Calls one Ripeline API. Safe to share between threads; close it when done.

    Every method raises `ApiProblem` where no usable answer came.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout: float,
        health_timeout: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = address
        self._health_timeout = health_timeout
        # The API is a neighbour: a proxy set for the way to the internet must not catch the call.
        self._http = httpx.Client(timeout=timeout, transport=transport, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def predict(self, name: str, photograph: bytes) -> Prediction:
        """Grade the bytes of one photograph; `name` is its file name."""
        return self._call(Prediction, "POST", "/predict", files={"file": (name, photograph)})

    def health(self) -> Health:
        """Ask how the service is, without waiting long."""
        return self._call(Health, "GET", "/health", timeout=self._health_timeout)

    def model_info(self) -> ModelInfo:
        """Ask which model answers, and how good it is."""
        return self._call(ModelInfo, "GET", "/model-info")

    def _call(self, answer: type[T], method: str, path: str, **options: Any) -> T:
        try:
            response = self._http.request(method, f"{self.address}{path}", **options)
        except httpx.TimeoutException as error:
            raise problems.too_slow(self.address) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise problems.not_an_address(self.address) from error
        except httpx.HTTPError as error:
            raise problems.unreachable(self.address) from error
        if not response.is_success:
            raise problems.refused(response, self.address)
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            raise problems.not_understood(self.address) from error
