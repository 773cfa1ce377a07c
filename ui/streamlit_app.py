"""The app. Start it with `streamlit run ui/streamlit_app.py`."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import auth
import components
import streamlit as st
from bind_address import check_bind_address
from settings import Settings


@asynccontextmanager
async def preload(_app: st.App) -> AsyncIterator[None]:
    """Import charts and HTTP at startup; otherwise the first visitor waits a second for them. This
    runs within the lifespan because caches warn if Streamlit has no runtime yet.
    """
    for module in walk_packages(components.__path__, "components."):
        import_module(module.name)
    # Streamlit collects garbage after each run of a page. Scanning everything imported, which stays
    # anyway, would take most of that run's time.
    gc.collect()
    gc.freeze()
    yield


settings = Settings()
secrets = auth.login_secrets(settings)
if refusal := check_bind_address(
    settings,
    st.get_option("server.address") or "",
    has_login=secrets is not None or auth.has_login_section(),
):
    sys.exit(refusal)
app = st.App(
    Path(__file__).parent / "navigation.py",
    secrets=secrets,
    lifespan=preload,
)
