"""nginx with the configuration of deploy/, on loopback."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from api.settings import PROJECT
from tests.deploy.composition import fill_template

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
    """The command that starts nginx. `environment` is from Compose, with ports in place of
    hosts."""
    # One "server api:8000 resolve …;" per replica; in Compose the name resolves to all of them.
    api_server, app_server = environment["API_SERVERS"], environment["APP_SERVERS"]
    values = {
        **environment,
        "NGINX_MIME_TYPES": str(MIME_TYPES),
        "API_LISTEN": f"127.0.0.1:{api_port}",
        "APP_LISTEN": f"127.0.0.1:{app_port}",
        "API_SERVERS": " ".join(_at(api_server, "api:8000", port) for port in replicas),
        "APP_SERVERS": _at(app_server, "ui:8501", app),
    }
    prefix = folder / "nginx"
    prefix.mkdir(exist_ok=True)
    configuration = prefix / "nginx.conf"
    configuration.write_text(fill_template(TEMPLATE, values))
    # As root, nginx would switch to an account without access to the temporary folder.
    account = " user root;" if os.geteuid() == 0 else ""
    return ["nginx", "-p", f"{prefix}/", "-c", str(configuration), "-g", f"daemon off;{account}"]


def _at(server: str, name: str, port: int) -> str:
    return server.replace(name, f"127.0.0.1:{port}").replace(" resolve", "")
