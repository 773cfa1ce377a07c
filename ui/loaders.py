"""What pages load. The caches are bounded, and shared by all sessions."""

import photos
import streamlit as st
from album import Album
from client import ApiClient
from photos import Photo
from problems import ApiProblem
from resources import dataset, insights, models, monitoring, predictions, report, runs
from settings import Settings

THUMBNAIL_PIXELS = 192


def api() -> ApiClient:
    """The client of the API that the environment names."""
    settings = Settings()
    return _client(
        settings.api_url,
        settings.api_timeout,
        settings.api_health_timeout,
        settings.api_key.get_secret_value(),
    )


def health_problem() -> ApiProblem | None:
    """Why the API cannot be used just now, or None where it can. Never cached."""
    try:
        api().health()
    except ApiProblem as problem:
        return problem
    return None


def insist_on_answer() -> None:
    """Raises ApiProblem where the API is away: what is cached must not pass for the present."""
    api().health()


@st.cache_data(max_entries=32, show_spinner=False)
def preview(data: bytes) -> bytes | None:
    """The picture to show of a photograph, or None where there is none."""
    return photos.preview(data)


@st.cache_data(ttl=5, max_entries=1, show_spinner=False)
def estimate() -> runs.Estimate:
    """What there is to learn, and how long it takes."""
    return runs.estimate(api())


@st.cache_data(ttl=2, max_entries=8, show_spinner=False)
def summary(hours: float) -> monitoring.Summary:
    """The last hours of the service."""
    return monitoring.summary(api(), hours)


@st.cache_data(ttl=20, max_entries=1, show_spinner=False)
def drift() -> monitoring.Drift:
    """Whether anything has shifted; the API takes some tenths of a second to tell."""
    return monitoring.drift(api())


@st.cache_data(ttl=5, max_entries=1, show_spinner=False)
def training_data() -> dataset.Summary:
    """How much there is to learn from, and of what."""
    return dataset.summary(api())


def known_classes() -> list[str]:
    """Every class that there is; none where the API does not say."""
    try:
        return training_data().classes
    except ApiProblem:
        return []


@st.cache_data(ttl=10, max_entries=32, show_spinner=False)
def training_images(
    class_name: str | None, split: str | None, origin: str | None, offset: int, limit: int
) -> dataset.ImagePage:
    """A page of the training images, newest first."""
    return dataset.images(
        api(), class_name=class_name, split=split, origin=origin, offset=offset, limit=limit
    )


@st.cache_data(ttl=10, max_entries=4, show_spinner=False)
def review_queue(limit: int) -> predictions.ReviewQueue:
    """What is most worth labelling."""
    return predictions.review_queue(api(), limit)


@st.cache_data(ttl=30, max_entries=1, show_spinner=False)
def dataset_insights() -> insights.Insights:
    """What today's training data looks like."""
    return insights.dataset(api())


@st.cache_data(ttl=60, max_entries=1, show_spinner=False)
def embedding_map(limit: int) -> insights.EmbeddingMap:
    """Which photographs look alike to the model; the first time takes the API some seconds."""
    return insights.embedding_map(api(), limit)


@st.cache_data(ttl=60, max_entries=16, show_spinner=False)
def augmentation_of_image(image_id: str, seed: int) -> insights.Augmentation:
    """A training image as training would show it."""
    return insights.augmentation_of_image(api(), image_id, seed)


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def augmentation_of_photo(name: str, data: bytes, seed: int) -> insights.Augmentation:
    """Any photograph as training would show it."""
    return insights.augmentation_of_photo(api(), Photo(name, data), seed)


@st.cache_data(ttl=10, max_entries=1, show_spinner=False)
def versions() -> models.Versions:
    """Every model version, the newest first."""
    return models.listed(api())


@st.cache_data(ttl=60, max_entries=8, show_spinner=False)
def report_on(version: str) -> report.Report:
    """The figures of a version that stand together."""
    return report.report(api(), version)


@st.cache_data(ttl=60, max_entries=8, show_spinner=False)
def package(version: str) -> report.Package:
    """A version with what its package says of itself."""
    return report.package(api(), version)


@st.cache_data(ttl=60, max_entries=16, show_spinner=False)
def side_by_side(a: str, b: str) -> models.SideBySide:
    """The figures of two versions."""
    return models.compare(api(), a, b)


def album() -> Album:
    """Small pictures from the API."""
    return _album(api())


def forget_training_data() -> None:
    """Forget what an upload, a label or a removal may have changed."""
    training_data.clear()
    training_images.clear()
    review_queue.clear()
    estimate.clear()
    _forget_insights()


def forget_learning() -> None:
    """Forget what a run or a promotion may have changed."""
    estimate.clear()
    drift.clear()
    versions.clear()
    _forget_insights()


def _forget_insights() -> None:
    dataset_insights.clear()
    embedding_map.clear()
    augmentation_of_image.clear()


@st.cache_resource(max_entries=4, on_release=ApiClient.close, show_spinner=False)
def _client(address: str, timeout: float, health_timeout: float, key: str) -> ApiClient:
    return ApiClient(address, timeout=timeout, health_timeout=health_timeout, key=key)


@st.cache_resource(
    max_entries=4,
    hash_funcs={ApiClient: lambda client: client.address},
    on_release=Album.close,
    show_spinner=False,
)
def _album(client: ApiClient) -> Album:
    return Album(client, size=THUMBNAIL_PIXELS)
