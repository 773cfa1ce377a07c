"""Many photographs were added since the serving version was made."""

from sqlalchemy import func, select

from api.dataset.tables import ImageRow
from api.monitoring.triggers.rule import Chosen, Reading, Rule, Scene
from api.retrain.tables import RunRow


def _read(scene: Scene, chosen: Chosen) -> Reading:
    champion = scene.champion
    # What came while it trained is new to it.
    run = scene.session.get(RunRow, champion.run_id) if champion.run_id else None
    since = (run.started_at if run else None) or champion.created_at
    count = scene.session.scalar(select(func.count()).where(ImageRow.created_at > since)) or 0
    sentence = f"{count} training images were added since the serving version was made."
    return Reading(count, chosen.passed(count), sentence)


RULE = Rule(
    name="new-images",
    description="Fires when more than so many images were added since the serving version.",
    unit="images",
    read=_read,
    threshold=1000,
    lowest=1,
    highest=1_000_000,
)
