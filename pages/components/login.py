"""The optional login: it is asked for where `.streamlit/secrets.toml` names an identity provider."""

from __future__ import annotations

import streamlit as st

from pages.components import text


def require() -> None:
    """Stop the page until somebody is logged in; do nothing where no login is set up."""
    if not _is_set_up():
        return
    if not st.user.get("is_logged_in", False):
        st.title("Log in", anchor=False)
        st.write("This dashboard is only for people with an account.")
        st.button("Log in", type="primary", icon=":material/login:", on_click=st.login)
        st.stop()
    with st.sidebar:
        st.caption(f"Logged in as {text.escape(str(st.user.get('email') or st.user.get('name') or 'somebody'))}")
        st.button("Log out", icon=":material/logout:", type="tertiary", on_click=st.logout)


def _is_set_up() -> bool:
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets
