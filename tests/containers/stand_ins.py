"""The published images of the full profile: pulled, or replaced by stand-ins under the same
names."""

from importlib.metadata import version
from pathlib import Path

from tests.containers.base_image import PACKAGES, make_debian
from tests.containers.engine import STAND_IN, Engine, EngineError

FOLDER = Path(__file__).parent / "stand_in"
DEBIAN, SUITE = "ripeline-test/debian", "trixie"
MORE = ",nginx-light,gettext-base,postgresql,prometheus,prometheus-alertmanager,wget"
# What the stand-in runs, by the name of the image.
STAND_INS = {
    "postgres": "Debian's PostgreSQL",
    "nginx": "Debian's nginx",
    "prometheus": "Debian's Prometheus",
    "alertmanager": "Debian's Alertmanager",
    "versitygw": "moto's S3 server",
}


def provide(engine: Engine, image: str) -> None:
    """Make sure that the engine has the image. Raises EngineError if it cannot be obtained."""
    if engine.has_image(image) or engine.works("pull", _address(image)):
        return
    name = image.rpartition("/")[2].partition(":")[0]
    if name not in STAND_INS:
        raise EngineError(f"{image} cannot be pulled, and has no stand-in")
    if not engine.has_image(DEBIAN):
        make_debian(engine, DEBIAN, SUITE, PACKAGES + MORE)
    build = {"dockerfile": "Dockerfile", "target": name, "args": {"MOTO": version("moto")}}
    labels = {STAND_IN: f"{STAND_INS[name]}, in place of {image}"}
    engine.build(image, FOLDER, {**build, "labels": labels})


def is_stand_in(engine: Engine, image: str) -> bool:
    return bool(engine.stood_in_for(image))


def _address(image: str) -> str:
    """The image's name with the registry's host, which Docker Hub's images leave out."""
    host, _, rest = image.partition("/")
    if rest and "." in host:
        return image
    return f"docker.io/{image if rest else f'library/{image}'}"
