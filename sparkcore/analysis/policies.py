"""Policies by name, one small object each in the store."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from sparkcore.analysis.policy import Policy
from sparkcore.errors import RequestError
from sparkcore.runs.store import RunStore

_FOLDER = "policies"
_log = logging.getLogger(__name__)


def save_policy(store: RunStore, policy: Policy) -> None:
    """Keep a policy under its name; it replaces one of the same name."""
    store.storage.write(_object(policy.name), policy.to_json().encode())


def saved_policies(store: RunStore) -> list[Policy]:
    """Return all policies of a store by name; damaged ones are left out with a warning."""
    found = []
    for entry in store.storage.list(_FOLDER):
        try:
            found.append(Policy.from_json(store.storage.read(entry.name)))
        except FileNotFoundError:
            continue  # deleted just now
        except RequestError as error:
            _log.warning("Left out the policy %s: %s", entry.name, error)
    return sorted(found, key=lambda policy: (policy.name.casefold(), policy.name))


def delete_policy(store: RunStore, name: str) -> None:
    """Delete a policy; one that is not there is no error."""
    store.storage.delete(_object(name))


def read_policy(store: RunStore, text: str) -> Policy:
    """Return the policy in a file, or else the one of this name in the store; raises RequestError."""
    path = Path(text).expanduser()
    try:
        return Policy.from_json(path.read_bytes() if path.is_file() else store.storage.read(_object(text)))
    except FileNotFoundError:
        known = ", ".join(policy.name for policy in saved_policies(store)) or "none"
        raise RequestError(
            f"policy: expected a JSON file or the name of a policy of this store ({known}), received {text!r}."
        ) from None
    except OSError as error:
        raise RequestError(f"{path}: expected the JSON file of a policy, but {error.strerror}.") from error


def _object(name: str) -> str:
    # A name may be in any script and hold slashes.
    return f"{_FOLDER}/{hashlib.sha256(' '.join(name.split()).encode()).hexdigest()[:32]}.json"
