"""From a version to a grader that is warm."""

from contextlib import suppress

from api.blobs import Blobs
from api.predict.runtime import Runtime
from api.registry.package import BadPackageError, Package, load_package, read_manifest
from api.registry.store import open_package
from api.settings import Settings


def load_version(settings: Settings, blobs: Blobs, version: str) -> Runtime:
    """Raises BadPackageError, ValueError or RuntimeError, or what the store raises when away."""
    with suppress(BadPackageError):
        if read_manifest(settings.model_dir).version == version:
            return load_shipped(settings)  # Nothing needs to be fetched.
    return _warm(settings, open_package(blobs, version, settings.model_cache))


def load_shipped(settings: Settings) -> Runtime:
    """Raises BadPackageError, ValueError or RuntimeError."""
    return _warm(settings, load_package(settings.model_dir))


def _warm(settings: Settings, package: Package) -> Runtime:
    return Runtime.of_package(package, settings.max_pixels, settings.inference_threads)
