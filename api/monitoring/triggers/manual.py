"""A person starts it. Listed with the others, since it is one of the ways."""

from api.monitoring.triggers.rule import Chosen, Reading, Rule, Scene


def _read(_scene: Scene, _chosen: Chosen) -> Reading:
    return Reading(None, False, "POST /retrain starts a retraining at any time.")


RULE = Rule(
    name="manual",
    description="Never fires by itself: a person starts a retraining with POST /retrain.",
    unit="",
    read=_read,
    cooldown_hours=0,
    is_automatic=False,
)
