"""Every router of the service, once."""

from fastapi import APIRouter

from api.health.endpoints import router as health
from api.predict.endpoints import router as predict
from api.registry.endpoints import router as models
from api.retrain.endpoints import router as retrain

router = APIRouter()
router.include_router(predict)
router.include_router(models)
router.include_router(retrain)
router.include_router(health)
