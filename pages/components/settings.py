"""The second part of a request: the model and all other settings that the result depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.source import SAMPLES, Source
from sparkcore import client, intake
from sparkcore.client import ModelChoice
from sparkcore.config import (
    DEFAULT_MODEL,
    FEATURES,
    INTERPOLATIONS,
    KEEPS,
    PRECISIONS,
    PREPROCESSES,
    READERS,
    RESIZE_MODES,
    TRUTHS,
    RunConfig,
)
from sparkcore.runs.store import RunStore

OWN_MODEL = "own model file"
_TRUTHS = {"none": "Unknown", "folder": "From the folder", "filename": "From the file name"}
_OPTIONS = {
    "auto": "As the model expects",
    "bytes": "Bytes (all formats)",
    "image": "Spark's image source",
    "all": "Embedding and activation maps",
    "none": "None",
}
_SIDES = ("height", "width", "channels")

Values = dict[str, Any]


def show(source: Source, prefix: str, default: RunConfig | None) -> Values:
    """Draw all settings, starting with those of `default`; return them under the names of `RunConfig`."""
    values = _show_model(prefix, default)
    begin = default.truth if default else "folder" if source.kind == SAMPLES else "none"
    values["truth"] = st.segmented_control(
        "True label",
        TRUTHS,
        default=begin,
        format_func=_TRUTHS.__getitem__,
        key=f"{prefix}truth_{source.kind}",
        persist_state="session",
        help="With true labels, the Evaluate page shows how often the predictions are correct.",
    )
    with st.expander("More settings"):
        base = default or RunConfig(images="-")
        values |= _show_preparation(prefix, base)
        values |= _show_selection(prefix, base)
    return {name: value for name, value in values.items() if value is not None}


def to_config(images: str, values: Values, store: RunStore) -> RunConfig:
    """Return the request; raises ConfigError, or ModelError for a file that may not be read."""
    roots = intake.allowed_roots(store.state)
    checked = dict(values)
    if checked.get("model") == OWN_MODEL:
        checked["model"] = intake.choose_file(checked.pop("model_file", ""), roots)
    if checked.get("weights"):
        checked["weights"] = intake.choose_file(checked["weights"], roots)
    if checked.get("labels"):
        checked["labels"] = intake.choose_file(checked["labels"], roots, intake.LABEL_SUFFIXES)
    return RunConfig(images=images, **checked)


def _show_model(prefix: str, default: RunConfig | None) -> Values:
    choices = {choice.name: choice for choice in client.available_models()}
    begin = default.model if default and default.model != DEFAULT_MODEL else client.default_model()
    begin = begin if begin in choices else OWN_MODEL
    names = [*choices, OWN_MODEL]
    model = st.selectbox(
        "Model",
        names,
        index=names.index(begin),
        format_func=lambda name: name if _is_ready(name, choices, prefix) else f"{name} (needs weights)",
        key=f"{prefix}model",
        persist_state="session",
    )
    # Files and preprocessing belong to one model: another one starts without them.
    same = default if model == begin else None
    if model == OWN_MODEL:
        return {"model": model, **_show_own_model(prefix, same)}
    values: Values = {"model": model}
    if not choices[model].ready or (same and same.weights):
        where, otherwise = ("on", "use those") if choices[model].ready else ("not on", "download them")
        st.caption(f"The weights of {model} are {where} this machine. Give a file, or leave this empty to {otherwise}.")
        values["weights"] = _path(_weights_key(prefix, model), "Weights file", same.weights if same else None)
    return values


def _show_own_model(prefix: str, default: RunConfig | None) -> Values:
    preprocess = ["", *PREPROCESSES]
    return {
        "model_file": _path(
            f"{prefix}model_file", "Model file (.keras, .onnx, ...)", default.model if default else None
        ),
        "labels": _path(f"{prefix}labels", "Class names (.json or .txt)", default.labels if default else None),
        "preprocess": st.selectbox(
            "Preprocessing of the pixels",
            preprocess,
            index=preprocess.index((default and default.preprocess) or ""),
            format_func=lambda name: name or "As the model file says",
            key=f"{prefix}preprocess",
            persist_state="session",
        )
        or None,
    }


def _is_ready(name: str, choices: Mapping[str, ModelChoice], prefix: str) -> bool:
    given = st.session_state.get(_weights_key(prefix, name))
    return name not in choices or choices[name].ready or bool(given)


def _weights_key(prefix: str, model: str) -> str:
    return f"{prefix}weights_{model}"


def _path(key: str, label: str, default: str | None) -> str | None:
    typed = st.text_input(label, default or "", key=key, placeholder="Path on the server", persist_state="session")
    return typed.strip() or None


def _show_preparation(prefix: str, base: RunConfig) -> Values:
    left, right = st.columns(2)
    with left:
        values: Values = {
            "resize": _select(prefix, "Resize", "resize", RESIZE_MODES, base),
            "precision": _select(prefix, "Precision", "precision", PRECISIONS, base),
            "min_agreement": base.min_agreement,
        }
        values["features"] = _select(prefix, "Features", "features", FEATURES, base)
        values["top_k"] = _number(prefix, "Predictions per image", "top_k", base)
    with right:
        values["interpolation"] = _select(prefix, "Interpolation", "interpolation", INTERPOLATIONS, base)
        values["reader"] = _select(prefix, "Reader", "reader", READERS, base)
        values["keep"] = tuple(
            st.multiselect("Extra columns", KEEPS, list(base.keep), key=f"{prefix}keep", persist_state="session")
        )
    return values


def _show_selection(prefix: str, base: RunConfig) -> Values:
    st.caption("Use only some of the images: a random sample, or limits on size (pixels) and channels")
    columns = st.columns(2)
    values: Values = {}
    with columns[0]:
        values["sample"] = _number(prefix, "Limit", "sample", base)
        values |= {name: _number(prefix, f"Minimum {name[4:]}", name, base) for name in (f"min_{s}" for s in _SIDES)}
    with columns[1]:
        values["seed"] = _number(prefix, "Random seed", "seed", base)
        values |= {name: _number(prefix, f"Maximum {name[4:]}", name, base) for name in (f"max_{s}" for s in _SIDES)}
    return values


def _select(prefix: str, label: str, name: str, options: tuple[str, ...], base: RunConfig) -> str:
    return st.selectbox(
        label,
        options,
        index=options.index(getattr(base, name)),
        format_func=lambda option: _OPTIONS.get(option, option),
        key=f"{prefix}{name}",
        persist_state="session",
    )


def _number(prefix: str, label: str, name: str, base: RunConfig) -> int | None:
    return st.number_input(
        label,
        min_value=0 if name == "seed" else 1,
        value=getattr(base, name),
        step=1,
        placeholder="Any",
        key=f"{prefix}{name}",
        persist_state="session",
    )
