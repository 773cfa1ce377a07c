"""The API's responses, cached for a few seconds. The caches are bounded and shared by all
sessions."""

import photos
import streamlit as st
from api_models import (
    AccuracyInUse,
    Augmentation,
    BoxedPhotoPage,
    DatasetInsights,
    DatasetSummary,
    Drift,
    EmbeddingMap,
    Estimate,
    ImagePage,
    Mistakes,
    Report,
    ReviewQueue,
    Suggestion,
    Summary,
    VersionComparison,
    VersionDetails,
    Versions,
)
from boxed_client import BoxedPhotoClient
from client import ApiClient
from errors import ApiError
from formatting import fruit_and_freshness
from model_client import ModelClient
from photos import Photo, RelativeBox
from settings import Settings
from thumbnails import Thumbnails
from trigger_client import TriggerClient

# About ten kilobytes each.
THUMBNAIL_PIXELS, MAX_THUMBNAILS = 192, 600
PICTURE_PIXELS = 800
# Of stored photos; each is up to 300 kB.
KEPT_PIXELS, MAX_PICTURES = 1024, 60


def api() -> ApiClient:
    """The client of the API named in the environment."""
    settings = Settings()
    return _client(
        settings.api_url,
        settings.api_timeout,
        settings.api_health_timeout,
        settings.api_key.get_secret_value(),
    )


def models() -> ModelClient:
    return ModelClient(api())


def health_error() -> ApiError | None:
    """Why the API is unavailable, or None. Never cached."""
    try:
        api().health()
    except ApiError as error:
        return error
    return None


def require_api() -> None:
    """Raise ApiError if the API is unavailable, so that cached responses do not pass for current
    ones."""
    api().health()


@st.cache_data(ttl=10, max_entries=1, show_spinner=False)
def finds_fruits() -> bool:
    """Whether the model in use finds each fruit of a photo."""
    return api().finds_fruits()


@st.cache_data(ttl=10, max_entries=1, show_spinner=False)
def known_fruits() -> list[str]:
    """The fruits that the model in use knows, without freshness: "apple", "banana"."""
    model = api().model_info().model_info
    names = [fruit_and_freshness(name)[0] for name in (model and model.classes) or []]
    return sorted({name.lower() for name in names})


@st.cache_data(max_entries=16, show_spinner=False)
def crops(data: bytes, boxes: tuple[RelativeBox, ...]) -> list[bytes]:
    """The fruits of a photo; none if it cannot be shown."""
    return photos.crops(data, boxes)


@st.cache_data(max_entries=32, show_spinner=False)
def preview(data: bytes) -> bytes | None:
    """A photo small enough to show, or None if it cannot be shown."""
    return photos.preview(data)


@st.cache_data(ttl=5, max_entries=1, show_spinner=False)
def estimate() -> Estimate:
    """What is new to learn, and how long each mode takes."""
    return api().estimate()


@st.cache_data(ttl=2, max_entries=8, show_spinner=False)
def monitoring_summary(hours: float) -> Summary:
    """The last hours of the service."""
    return api().monitoring_summary(hours)


# The API takes a few tenths of a second to compute it.
@st.cache_data(ttl=20, max_entries=1, show_spinner=False)
def drift() -> Drift:
    return api().drift()


@st.cache_data(ttl=20, max_entries=1, show_spinner=False)
def accuracy_in_use() -> list[AccuracyInUse]:
    """By version, the newest first."""
    return api().accuracy_in_use()


# Every page asks for this, and must not wait each time for an API that hangs.
@st.cache_data(ttl=10, max_entries=1, show_spinner=False)
def suggestions() -> list[Suggestion]:
    """The suggested retrainings, the oldest first; none while the API is unavailable."""
    try:
        return TriggerClient(api()).open_suggestions(Settings().api_health_timeout)
    except ApiError:
        return []


@st.cache_data(ttl=60, max_entries=1, show_spinner=False)
def person_promotes() -> bool:
    """Whether only a person promotes a version, whatever the mode of a trigger."""
    return api().model_info().promote == "person"


@st.cache_data(ttl=5, max_entries=1, show_spinner=False)
def dataset_summary() -> DatasetSummary:
    """How many training photos there are, by class."""
    return api().dataset_summary()


def class_names(summary: DatasetSummary) -> list[str]:
    """All classes in the catalog and the model."""
    return sorted({*summary.by_class, *summary.photographs.by_class})


def known_classes() -> list[str]:
    """All classes; none while the API is unavailable."""
    try:
        return class_names(dataset_summary())
    except ApiError:
        return []


@st.cache_data(ttl=10, max_entries=32, show_spinner=False)
def training_images(
    class_name: str | None, split: str | None, origin: str | None, offset: int, limit: int
) -> ImagePage:
    """A page of the training images, newest first."""
    return api().training_images(
        class_name=class_name, split=split, origin=origin, offset=offset, limit=limit
    )


@st.cache_data(ttl=10, max_entries=16, show_spinner=False)
def boxed_photos(offset: int, limit: int) -> BoxedPhotoPage:
    """A page of the photos with boxes, newest first."""
    return BoxedPhotoClient(api()).page(offset, limit)


@st.cache_data(max_entries=8, show_spinner=False)
def boxed_picture(photo_id: str) -> bytes:
    """A photo that has boxes, without its boxes drawn, large enough to draw on."""
    return BoxedPhotoClient(api()).picture(photo_id, PICTURE_PIXELS)


@st.cache_data(ttl=10, max_entries=4, show_spinner=False)
def review_queue(limit: int) -> ReviewQueue:
    """The predictions most worth labelling."""
    return api().review_queue(limit)


@st.cache_data(ttl=30, max_entries=1, show_spinner=False)
def dataset_insights() -> DatasetInsights:
    return api().dataset_insights()


# The first call takes the API a few seconds.
@st.cache_data(ttl=60, max_entries=1, show_spinner=False)
def embedding_map(limit: int) -> EmbeddingMap:
    """Which photos look alike to the model."""
    return api().embedding_map(limit)


@st.cache_data(ttl=60, max_entries=16, show_spinner=False)
def augment_image(image_id: str, seed: int) -> Augmentation:
    """A training image as training would show it."""
    return api().augment_image(image_id, seed)


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def augment_photo(name: str, data: bytes, seed: int) -> Augmentation:
    """Any photo as training would show it."""
    return api().augment_photo(Photo(name, data), seed)


@st.cache_data(ttl=10, max_entries=1, show_spinner=False)
def versions() -> Versions:
    """All model versions, the newest first."""
    return models().versions()


@st.cache_data(ttl=60, max_entries=8, show_spinner=False)
def version_report(version: str) -> Report:
    """The headline metrics of a version."""
    return models().version_report(version)


@st.cache_data(ttl=60, max_entries=8, show_spinner=False)
def version_mistakes(version: str) -> Mistakes:
    """The held-out photos that a version gets wrong."""
    return models().version_mistakes(version)


@st.cache_data(ttl=60, max_entries=8, show_spinner=False)
def version_details(version: str) -> VersionDetails:
    """A version with its package's manifest."""
    return models().version_details(version)


@st.cache_data(ttl=60, max_entries=16, show_spinner=False)
def compare_versions(a: str, b: str) -> VersionComparison:
    return models().compare_versions(a, b)


def thumbnails() -> Thumbnails:
    """Thumbnails of photos at the API."""
    return _thumbnails(api())


def pictures() -> Thumbnails:
    """Photos at the API, in the stored size."""
    return _pictures(api())


def clear_training_data() -> None:
    """Clear what an upload, a label or a removal may have changed."""
    dataset_summary.clear()
    training_images.clear()
    boxed_photos.clear()
    review_queue.clear()
    accuracy_in_use.clear()
    estimate.clear()
    _clear_insights()


def clear_model_data() -> None:
    """Clear what a run or a promotion may have changed."""
    estimate.clear()
    finds_fruits.clear()
    known_fruits.clear()
    drift.clear()
    versions.clear()
    suggestions.clear()
    _clear_insights()


def _clear_insights() -> None:
    dataset_insights.clear()
    embedding_map.clear()
    augment_image.clear()
    version_mistakes.clear()


@st.cache_resource(max_entries=4, on_release=ApiClient.close, show_spinner=False)
def _client(address: str, timeout: float, health_timeout: float, key: str) -> ApiClient:
    return ApiClient(address, timeout=timeout, health_timeout=health_timeout, key=key)


@st.cache_resource(
    max_entries=4,
    hash_funcs={ApiClient: lambda client: client.address},
    on_release=Thumbnails.close,
    show_spinner=False,
)
def _thumbnails(client: ApiClient) -> Thumbnails:
    return Thumbnails(client, pixels=THUMBNAIL_PIXELS, max_cached=MAX_THUMBNAILS)


@st.cache_resource(
    max_entries=4,
    hash_funcs={ApiClient: lambda client: client.address},
    on_release=Thumbnails.close,
    show_spinner=False,
)
def _pictures(client: ApiClient) -> Thumbnails:
    return Thumbnails(client, pixels=KEPT_PIXELS, max_cached=MAX_PICTURES)
