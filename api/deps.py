"""What endpoints ask for, as annotated aliases."""

from typing import Annotated

from fastapi import Depends, Request

from api.health.state import ServiceState
from api.settings import Settings


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _state(request: Request) -> ServiceState:
    state: ServiceState = request.app.state.service
    return state


SettingsDep = Annotated[Settings, Depends(_settings)]
StateDep = Annotated[ServiceState, Depends(_state)]
