"""Downloading the public fruit photographs."""

from pathlib import Path

from api.errors import ProblemError

PUBLIC_SET = "sriramr/fruits-fresh-and-rotten-for-classification"


class DownloadError(ProblemError):
    code = "download-failed"


def download_public_set() -> Path:
    """Download the public set with kagglehub, which resumes and shows its progress.

    Returns the folder that it lies in. Raises DownloadError, which names the way without network.
    """
    import kagglehub  # noqa: PLC0415  (it is needed for nothing else)

    try:
        return Path(kagglehub.dataset_download(PUBLIC_SET))
    except Exception as error:  # kagglehub passes on whatever its HTTP stack raises.
        raise DownloadError(
            f"The set {PUBLIC_SET} could not be downloaded ({type(error).__name__}). Check the "
            "network and try again, or import photographs that you have: make data FROM=<folder>."
        ) from error
