"""The button that computes once more only the images that could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.components import text
from pages.components.frame import Opened
from sparkcore import client, intake
from sparkcore.config import MODEL_SUFFIXES, EngineConfig, RunConfig
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
            roots = intake.allowed_roots(opened.store.root)
            config = _checked(RunConfig.from_dict(opened.manifest.config), roots)
            job = client.submit(config, _engine(opened), retry_failed=True, roots=roots)
        except SparkcoreError as error:
            st.error(text.escape(str(error)), icon=":material/error:")
            return
    st.switch_page("pages/run.py", query_params={"job": job.job_id})


def _checked(config: RunConfig, roots: Sequence[Path]) -> RunConfig:
    """Return the request with absolute paths; the user of this page may read less than the owner of the run."""
    model, weights, labels = config.model, config.weights, config.labels
    if model.endswith(MODEL_SUFFIXES):
        model = intake.choose_file(model, roots)
    if weights and weights.endswith(MODEL_SUFFIXES):
        weights = intake.choose_file(weights, roots)
    if labels:
        labels = intake.choose_file(labels, roots, intake.LABEL_SUFFIXES)
    images = intake.choose_images(config.images, roots)
    return replace(config, images=images, model=model, weights=weights, labels=labels)


def _engine(opened: Opened) -> EngineConfig:
    return EngineConfig.from_environment(store=opened.store.root)
