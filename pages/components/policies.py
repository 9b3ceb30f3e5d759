"""The policies of the store: which there are, which one is applied, and how to keep one."""

from __future__ import annotations

import streamlit as st

from pages.components import address, text, trouble
from sparkcore.analysis.policies import delete_policy, save_policy, saved_policies
from sparkcore.analysis.policy import Policy
from sparkcore.errors import SparkcoreError
from sparkcore.runs.store import RunStore

_SEEN_S = 10  # until the policies of other servers are seen
_CHOSEN = "policy"  # parameter of the address
_NAME = "policy_name"
_LONGEST_NAME = 80


def are_there(store: RunStore) -> bool:
    """Tell whether the store has any policy."""
    return bool(_saved(store.uri, _store=store))


def choose(store: RunStore, key: str, label: str) -> Policy | None:
    """Draw the choice of a policy and return it; draw nothing where the store has none. The address keeps it."""
    found = {policy.name: policy for policy in _saved(store.uri, _store=store)}
    if not found:
        return None
    st.selectbox(
        label,
        list(found),
        index=None,
        key=address.mirror(key, address.get(_CHOSEN, choices=list(found)) or None),
        on_change=address.writer(key, _CHOSEN),
        placeholder="No policy",
    )
    return found.get(address.get(_CHOSEN))


def show_save(store: RunStore, policy: Policy) -> None:
    """Draw the form that keeps a policy under a name."""
    with st.popover("Save policy", icon=":material/save:"):
        st.text_input("Name", value=policy.name, key=_NAME, max_chars=_LONGEST_NAME)
        st.caption("A saved policy can be applied to other runs, here and in the shell. It replaces one of its name.")
        st.button("Save", key="policy_save", type="primary", on_click=_save, args=(store, policy))


def show_delete(store: RunStore, policy: Policy) -> None:
    """Draw the button that deletes a policy of the store."""
    st.button(
        "Delete policy", key="policy_delete", icon=":material/delete:", type="tertiary", on_click=_delete,
        args=(store, policy.name),
    )  # fmt: skip


def _save(store: RunStore, policy: Policy) -> None:
    name = " ".join(st.session_state[_NAME].split())
    if not name:
        return
    try:
        save_policy(store, policy.named(name))
        address.change({_CHOSEN: name})
        st.toast(f"Saved the policy {text.escape(name)}", icon=":material/save:")
    except SparkcoreError as error:
        trouble.toast(error)
    _saved.clear()


def _delete(store: RunStore, name: str) -> None:
    try:
        delete_policy(store, name)
        address.change({_CHOSEN: None})
    except SparkcoreError as error:
        trouble.toast(error)
    _saved.clear()


@st.cache_data(ttl=_SEEN_S, show_spinner=False)
def _saved(uri: str, _store: RunStore) -> list[Policy]:
    del uri
    try:
        return saved_policies(_store)
    except SparkcoreError:
        return []
