"""nginx as deploy/ configures it, with addresses on loopback."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from api.settings import PROJECT
from tests.deploy.composition import filled

TEMPLATE = PROJECT / "deploy" / "nginx" / "nginx.conf.template"
MIME_TYPES = Path("/etc/nginx/mime.types")


def nginx_command(
    folder: Path,
    environment: Mapping[str, str],
    *,
    api_port: int,
    app_port: int,
    replicas: Sequence[int],
    app: int,
) -> list[str]:
    """How to start it. `environment` is what Compose gives it; the ports take the names' places."""
    # "server api:8000 resolve …;" once for each replica, as Docker's resolver would have it.
    of_api, of_app = environment["API_SERVERS"], environment["APP_SERVERS"]
    values = {
        **environment,
        "NGINX_MIME_TYPES": str(MIME_TYPES),
        "API_LISTEN": f"127.0.0.1:{api_port}",
        "APP_LISTEN": f"127.0.0.1:{app_port}",
        "API_SERVERS": " ".join(_at(of_api, "api:8000", port) for port in replicas),
        "APP_SERVERS": _at(of_app, "ui:8501", app),
    }
    prefix = folder / "nginx"
    prefix.mkdir(exist_ok=True)
    written = prefix / "nginx.conf"
    written.write_text(filled(TEMPLATE, values))
    # As root it would change to an account that cannot look into the tests' folders.
    account = " user root;" if os.geteuid() == 0 else ""
    return ["nginx", "-p", f"{prefix}/", "-c", str(written), "-g", f"daemon off;{account}"]


def _at(server: str, name: str, port: int) -> str:
    return server.replace(name, f"127.0.0.1:{port}").replace(" resolve", "")
