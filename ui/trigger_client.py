"""The API's endpoints for triggers and the retrainings they suggest."""

from typing import Any

from api_models import RetrainStarted, Suggestion, Suggestions, Trigger, Triggers
from http_client import HttpClient

# People fire this trigger with the Retrain button: there is nothing to show or set.
MANUAL_TRIGGER = "manual"


class TriggerClient:
    """Raises `ApiError` as `HttpClient` does."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def triggers(self) -> list[Trigger]:
        """All triggers that can suggest or start a run automatically."""
        triggers = self._http.call(Triggers, "GET", "/triggers").triggers
        return [trigger for trigger in triggers if trigger.name != MANUAL_TRIGGER]

    def change(self, name: str, **settings: Any) -> Trigger:
        """Set any of mode, threshold, cooldown_hours and schedule; None resets a value."""
        return self._http.call(Trigger, "PUT", f"/triggers/{name}", json=settings)

    def open_suggestions(self, timeout: float) -> list[Suggestion]:
        """The suggestions that wait for a person, oldest first."""
        return self._http.call(Suggestions, "GET", "/suggestions", timeout=timeout).suggestions

    def accept(self, suggestion: Suggestion) -> RetrainStarted:
        path = f"/suggestions/{suggestion.suggestion_id}/accept"
        return self._http.call(RetrainStarted, "POST", path)

    def dismiss(self, suggestion: Suggestion) -> Suggestion:
        path = f"/suggestions/{suggestion.suggestion_id}/dismiss"
        return self._http.call(Suggestion, "POST", path)
