"""The button that computes once more only the images that could not be read."""

from __future__ import annotations

import streamlit as st

from pages.components import text
from pages.components.frame import Opened
from sparkcore import client, intake
from sparkcore.config import EngineConfig, RunConfig
from sparkcore.errors import SparkcoreError


def show(opened: Opened) -> None:
    """Draw the offer to try again; a new run takes over all that was read before."""
    count = opened.manifest.counts["errors"]
    with st.container(border=True):
        st.markdown("**Try again**")
        st.caption(
            "When files were repaired, copied anew or made readable: a new run takes over everything that was read "
            "before and computes only the rest."
        )
        if not st.button(
            f"Retry {count:,} {'image' if count == 1 else 'images'}", icon=":material/replay:", key="retry"
        ):
            return
        try:
            # The run may be of somebody who may read more than those who see this page.
            intake.choose_images(opened.manifest.config["images"], intake.allowed_roots(opened.store.root))
            job = client.submit(RunConfig.from_dict(opened.manifest.config), _engine(opened), retry_failed=True)
        except SparkcoreError as error:
            st.error(text.escape(str(error)), icon=":material/error:")
            return
    st.switch_page("pages/run.py", query_params={"job": job.job_id})


def _engine(opened: Opened) -> EngineConfig:
    return EngineConfig.from_environment(store=opened.store.root)
