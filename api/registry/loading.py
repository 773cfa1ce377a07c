"""From a version to a grader that is warm."""

from api.blobs import Blobs
from api.predict.runtime import Runtime
from api.registry.package import BadPackageError, Package, load_package
from api.registry.store import fetch_package
from api.settings import Settings


def load_version(settings: Settings, blobs: Blobs, version: str) -> Runtime:
    """Raises BadPackageError, ValueError or RuntimeError, or what the store raises when away."""
    try:
        shipped = load_package(settings.model_dir)
    except BadPackageError:
        shipped = None
    if shipped is not None and shipped.manifest.version == version:
        return _warm(settings, shipped)  # Nothing needs to be fetched.
    return _warm(settings, load_package(fetch_package(blobs, version, settings.model_cache)))


def load_shipped(settings: Settings) -> Runtime:
    """Raises BadPackageError, ValueError or RuntimeError."""
    return _warm(settings, load_package(settings.model_dir))


def _warm(settings: Settings, package: Package) -> Runtime:
    return Runtime.of_package(package, settings.max_pixels, settings.inference_threads)
