"""The call that graded a photo, as code for people who build on the API: shell, Python and
JavaScript.
"""

import json
import shlex

import streamlit as st
from api_models import Prediction
from photos import Photo
from settings import Settings

# The environment variable with the key, if the API needs one.
KEY = "RIPELINE_KEY"


def as_code(photo: Photo, prediction: Prediction) -> None:
    """The call that graded `photo`, in three languages."""
    settings = Settings()
    address, by_fruit = settings.api_url, prediction.instances is not None
    has_key = bool(settings.api_key.get_secret_value())
    with st.expander("This call as code", icon=":material/code:"):
        tabs = st.tabs(["Terminal", "Python", "JavaScript"])
        options = {"by_fruit": by_fruit, "has_key": has_key}
        with tabs[0]:
            st.code(curl(address, photo.name, **options), language="bash", wrap_lines=True)
        with tabs[1]:
            st.code(python(address, photo.name, **options), language="python")
        with tabs[2]:
            st.code(javascript(address, **options), language="javascript")
            st.caption(
                "For a page with a file input. The API answers pages of other sites where "
                "`RIPELINE_CORS_ORIGINS` names them."
            )
        st.caption(
            f"`{address}` is where this app reaches the API; from elsewhere its address may be "
            "another." + (f" The key is taken from `{KEY}`." if has_key else "")
        )


def curl(address: str, name: str, *, by_fruit: bool, has_key: bool) -> str:
    """The call for a shell; `name` is the photo's file, `by_fruit` whether each fruit is graded."""
    key = f' -H "Authorization: Bearer ${KEY}"' if has_key else ""
    # curl treats some characters in a file name as syntax unless the name is quoted.
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    form = shlex.quote(f'file=@"{escaped}"')
    return f"curl{key} -F {form} {shlex.quote(_url(address, by_fruit))}"


def python(address: str, name: str, *, by_fruit: bool, has_key: bool) -> str:
    """The call in Python with httpx."""
    key = f", headers={{'Authorization': 'Bearer ' + os.environ['{KEY}']}}" if has_key else ""
    lines = [
        *(["import os", ""] if has_key else []),
        "import httpx",
        "",
        f"with open({name!r}, 'rb') as photo:",
        f"    url = {_url(address, by_fruit)!r}",
        f"    answer = httpx.post(url, files={{'file': photo}}, timeout=60{key})",
        "answer.raise_for_status()",
        "print(answer.json()['predicted_class'], answer.json()['confidence'])",
    ]
    return "\n".join(lines)


def javascript(address: str, *, by_fruit: bool, has_key: bool) -> str:
    """The call from a web page with a file input; RIPELINE_CORS_ORIGINS must allow the page's
    address."""
    key = ", headers: { Authorization: `Bearer ${key}` }" if has_key else ""
    return "\n".join(
        [
            *(['const key = "…"; // Never in a page that others can see.'] if has_key else []),
            "const form = new FormData();",
            'form.append("file", document.querySelector("input[type=file]").files[0]);',
            f"const answer = await fetch({json.dumps(_url(address, by_fruit))}, "
            f'{{ method: "POST", body: form{key} }});',
            "const { predicted_class, confidence } = await answer.json();",
        ]
    )


def _url(address: str, by_fruit: bool) -> str:
    return f"{address}/predict" + ("?instances=true" if by_fruit else "")
