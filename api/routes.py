"""Every router of the service, once, in the order in which a request is held against them."""

from fastapi import FastAPI

from api.dataset.endpoints import router as dataset
from api.feedback.endpoints import router as feedback
from api.freshness.endpoints import router as freshness
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

# The hot path first, and none inside another: FastAPI matches at each level anew.
ROUTERS = (
    predict,
    batch,
    dataset,
    history,
    feedback,
    models,
    insights,
    report,
    retrain,
    monitoring,
    triggers,
    freshness,
    health,
)


def include_all(app: FastAPI) -> None:
    for router in ROUTERS:
        app.include_router(router)
