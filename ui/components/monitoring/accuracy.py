"""How often the model is right in use, compared with its test accuracy."""

import cached_api
import streamlit as st
from api_models import AccuracyInUse
from errors import ApiError
from formatting import TEST_ACCURACY, percent, pluralize
from plain_text import as_markdown

from components.messages import show_fragment_error


@st.fragment(run_every="30s")
def accuracy_in_use() -> None:
    """The accuracy of each version that was in use, from a random sample; refreshes itself."""
    st.header("How often it is right in use", anchor=False)
    try:
        versions = cached_api.accuracy_in_use()
    except ApiError as error:
        show_fragment_error(error, rejected="The accuracy is not available")
        return
    answered = [version for version in versions if version.answered]
    for version in answered:
        if version.below_held_out:
            st.warning(
                f"**Version {as_markdown(version.model_version)} is right less often in use than "
                "on its test photos.** Add photos like those it gets wrong, and retrain.",
                icon=":material/warning:",
            )
    if answered:
        st.table(
            {
                "Version": [as_markdown(version.model_version) for version in answered],
                "Right in use, with its 95 % interval": [_in_use(item) for item in answered],
                TEST_ACCURACY: [
                    "—" if version.held_out is None else percent(version.held_out)
                    for version in answered
                ],
            }
        )
    st.caption(
        "Some graded photos are drawn at random; the Review queue on the Training data page asks "
        "about them first. Only those answers count here: corrections that people send by "
        "themselves are mostly about mistakes."
    )


def _in_use(version: AccuracyInUse) -> str:
    return (
        f"**{percent(version.accuracy or 0)}** ({percent(version.low)} to {percent(version.high)}),"
        f" {version.correct:,} of {pluralize(version.answered, 'photo')}"
    )
