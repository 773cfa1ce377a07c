"""Every table of the catalog, once, so that migrations see them all."""

from api.dataset.repository import ImageRow
from api.db import Base
from api.feedback.repository import FeedbackRow
from api.freshness.service import FreshnessThresholdsRow
from api.monitoring.triggers.service import TriggerRow
from api.predict.tables import PredictionRow
from api.registry.repository import ChampionRow, ModelRow, PromotionRow
from api.retrain.tables import RunRow

__all__ = [
    "Base",
    "ChampionRow",
    "FeedbackRow",
    "FreshnessThresholdsRow",
    "ImageRow",
    "ModelRow",
    "PredictionRow",
    "PromotionRow",
    "RunRow",
    "TriggerRow",
]
