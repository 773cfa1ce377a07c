"""Compare training and serving on photos in the catalog (training-serving skew).

Run it every night beside the service, with the same environment. Exits with status 1 if they
differ, and 0 if they agree or if the version was trained on too few photos of the catalog to tell.
"""

import argparse
import sys

from api.commands.cli_args import count
from api.core.errors import ProblemError
from api.model.package import BadPackageError
from api.model.predictor import Predictor
from api.monitoring.skew import SAMPLE, measure_skew
from api.settings import get_settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import ModelCacheError, StoreError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m api.commands.skew", description=__doc__)
    parser.add_argument(
        "--sample",
        type=count,
        default=SAMPLE,
        help=f"number of photos to compare (default: {SAMPLE})",
    )
    arguments = parser.parse_args()
    settings = get_settings()
    database = Database(settings.database)
    try:
        skew = measure_skew(
            database,
            Blobs(settings.storage),
            settings.model_cache,
            lambda package: Predictor.of_package(package, engine=settings.engine),
            arguments.sample,
        )
    except (ProblemError, BadPackageError, StoreError, ModelCacheError, ValueError) as error:
        print(getattr(error, "detail", error), file=sys.stderr)
        return 1
    finally:
        database.close()
    print(*skew.lines, sep="\n")
    return 1 if skew.objections else 0


if __name__ == "__main__":
    sys.exit(main())
