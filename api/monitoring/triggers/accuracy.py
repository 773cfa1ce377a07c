"""Accuracy on feedback has fallen below what was measured."""

from api.feedback.repository import newest_words
from api.monitoring.triggers.rule import Chosen, Reading, Rule, Scene
from api.registry.figures import headlines
from api.wording import percent

# Fewer words say little; older ones than these are of another time.
ENOUGH = 30
NEWEST = 200


def _read(scene: Scene, chosen: Chosen) -> Reading:
    honest = headlines(scene.champion.manifest).accuracy
    if honest is None:
        return Reading(None, False, "The serving version was not measured on held-out photographs.")
    words = newest_words(scene.session, scene.champion.version, NEWEST)
    if len(words) < ENOUGH:
        return Reading(
            None, False, f"{len(words)} words of feedback on this version yet; {ENOUGH} are needed."
        )
    accuracy = sum(words) / len(words)
    fall = round((honest - accuracy) * 100, 2)
    sentence = (
        f"{percent(accuracy)} right by the newest {len(words)} words of feedback; "
        f"{percent(honest)} on the test photographs."
    )
    return Reading(fall, chosen.passed(fall), sentence)


RULE = Rule(
    name="accuracy",
    description=(
        "Fires when accuracy on feedback lies more than so many points below the accuracy on test "
        "photographs. People correct more readily than they agree, so feedback looks worse than "
        "the model is."
    ),
    unit="points",
    read=_read,
    threshold=5,
    lowest=0.5,
    highest=100,
)
