"""Checks query parameters: an endpoint takes those that it names, and no reversed range.

`?instance=true` instead of `?instances=true` would silently get a different answer.
"""

from collections.abc import Collection
from difflib import get_close_matches
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from api.core.errors import UnprocessableError
from api.http.problems import responses

# Longer unknown names are cut: comparing takes time.
MAX_NAME_LENGTH = 80


class UnknownParameterError(UnprocessableError):
    code = "unknown-parameter"

    def __init__(self, name: str, known: Collection[str]) -> None:
        shown = name[:MAX_NAME_LENGTH]
        near = get_close_matches(shown.lower(), known, 1)
        guess = f" Did you mean `{near[0]}`?" if near else ""
        taken = ", ".join(f"`{one}`" for one in sorted(known)) or "no parameters"
        super().__init__(
            f"This path does not take the query parameter `{shown}`.{guess} It takes {taken}."
        )


class CheckedRoute(APIRoute):
    """An endpoint that answers 422 `unknown-parameter`.

    Not for endpoints that probes request: these may add parameters of their own.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options["responses"] = {**responses(422), **(options.get("responses") or {})}
        super().__init__(*args, **options)
        self._answer = self.app
        # Not in `handle`, which also gets requests with methods that the path does not take.
        self.app = self._checked

    @cached_property
    def _names(self) -> frozenset[str]:
        """The parameters that it takes, including those of its dependencies and of models."""
        return frozenset(
            one.alias
            for one in get_flat_params(self.dependant)
            if not isinstance(one.field_info, (Path, Header, Cookie))
        )

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        if query := scope["query_string"]:
            for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
                if name not in self._names:
                    raise UnknownParameterError(name, self._names)
        await self._answer(scope, receive, send)


class ReversedRangeError(UnprocessableError):
    code = "reversed-range"

    def __init__(self, lower: str, upper: str) -> None:
        super().__init__(
            f"`{lower}` and `{upper}` contradict each other: `{lower}` is the lower bound, but is "
            f"above `{upper}`. Swap them, or leave one out."
        )


def check_range(**bounds: Any) -> None:
    """`bounds` are the lower and then the upper bound by parameter name; None is open.

    Equal bounds are accepted: an empty range is no contradiction. Raises ReversedRangeError.
    """
    (lower, low), (upper, high) = bounds.items()
    if low is not None and high is not None and low > high:
        raise ReversedRangeError(lower, upper)
