"""Every router of the service, once."""

from fastapi import APIRouter

from api.dataset.endpoints import router as dataset
from api.feedback.endpoints import router as feedback
from api.health.endpoints import router as health
from api.history.endpoints import router as history
from api.insights.endpoints import router as insights
from api.monitoring.endpoints import router as monitoring
from api.monitoring.triggers.endpoints import router as triggers
from api.predict.batch_endpoint import router as batch
from api.predict.endpoints import router as predict
from api.registry.endpoints import router as models
from api.report.endpoints import router as report
from api.retrain.endpoints import router as retrain

router = APIRouter()
router.include_router(predict)
router.include_router(batch)
router.include_router(dataset)
router.include_router(history)
router.include_router(feedback)
router.include_router(models)
router.include_router(insights)
router.include_router(report)
router.include_router(retrain)
router.include_router(monitoring)
router.include_router(triggers)
router.include_router(health)
