"""The path of a request below the root path (RIPELINE_ROOT_PATH).

Not in `middleware`: `python -m api` imports it before prometheus-client may be imported.
"""

from starlette.types import Scope


def route_path(scope: Scope) -> str:
    """The path within the service: a proxy may have left the root path in front of it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path
