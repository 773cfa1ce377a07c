"""From a grade to what is answered, counted and recorded: the same for one photograph or many."""

from api.core import telemetry
from api.model.predictor import Grade
from api.predictions.record import Record
from api.predictions.schemas import Prediction
from api.predictions.state import AppState


def build_response(state: AppState, grade: Grade, version: str, filename: str) -> Prediction:
    """The answer for a photograph that was graded by `version`. Waits for nothing."""
    prediction = Prediction.of_grade(grade, version)
    state.prediction_count += 1
    telemetry.graded(
        prediction.predicted_class,
        prediction.confidence,
        prediction.recognised,
        version,
        prediction.inference_time_ms,
    )
    state.recorder.put(Record.of(prediction, grade, filename))
    return prediction
