"""Many photographs are there that the serving version has not learned."""

from api.monitoring.triggers.rule import Chosen, Reading, Rule, Scene


def _read(scene: Scene, chosen: Chosen) -> Reading:
    count = sum(scene.news().added.values())
    sentence = f"There are {count} training images that the serving version has not learned."
    return Reading(count, chosen.passed(count), sentence)


RULE = Rule(
    name="new-images",
    description="Fires when there are more images than this that the serving version has not seen.",
    unit="images",
    read=_read,
    threshold=1000,
    lowest=1,
    highest=1_000_000,
)
