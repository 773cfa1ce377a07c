"""From a grade to what is answered, counted and recorded: the same for one photograph or many."""

from api import metrics
from api.health.state import ServiceState
from api.predict.record import Record
from api.predict.runtime import Grade
from api.predict.schemas import Prediction


def serve(state: ServiceState, grade: Grade, version: str, filename: str) -> Prediction:
    """The answer for a photograph that was graded by `version`. Waits for nothing."""
    prediction = Prediction.of_grade(grade, version)
    state.prediction_count += 1
    metrics.graded(
        prediction.predicted_class,
        prediction.confidence,
        prediction.recognised,
        version,
        prediction.inference_time_ms,
    )
    state.recorder.put(Record.of(prediction, grade, filename))
    return prediction
