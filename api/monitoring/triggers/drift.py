"""The photographs that come are no longer like those that the model was measured on."""

from api.monitoring.triggers.rule import Chosen, Reading, Rule, Scene


def _read(scene: Scene, chosen: Chosen) -> Reading:
    times = [
        (figure.value / figure.threshold, figure.sentence)
        for figure in scene.drift()
        if figure.value is not None and figure.threshold
    ]
    if not times:
        return Reading(None, False, "There are too few predictions yet to tell.")
    most, sentence = max(times)
    return Reading(round(most, 3), chosen.passed(most), sentence)


RULE = Rule(
    name="drift",
    description=(
        "Fires when the inputs drift: when embeddings, confidence or class mix of the newest "
        "predictions is more than so many times its own threshold."
    ),
    unit="times the figure's own threshold",
    read=_read,
    threshold=1,
    lowest=0.1,
    highest=100,
)
