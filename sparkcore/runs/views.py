"""Saved views: names for what a page of the dashboard shows, one small object each in the store."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sparkcore.errors import RequestError
from sparkcore.runs.store import RunStore

LONGEST_NAME = 80
_FOLDER = "views"
_SUFFIX = ".json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """Hold the name of a view, its page, and the query string that shows it."""

    view_id: str
    name: str
    page: str
    query: Mapping[str, Sequence[str]]


def save_view(store: RunStore, name: str, page: str, query: Mapping[str, Sequence[str]]) -> View:
    """Keep a view under a new id; raises RequestError for an empty name."""
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name:
        raise RequestError("view: expected a name, received an empty text.")
    view = View(uuid.uuid4().hex, name, page, {key: list(values) for key, values in query.items()})
    store.storage.write_new(_object(view.view_id), f"{json.dumps(asdict(view), ensure_ascii=False)}\n".encode())
    return view


def saved_views(store: RunStore) -> list[View]:
    """Return all views by name; damaged ones are left out with a warning."""
    found = []
    for entry in store.storage.list(_FOLDER):
        try:
            values = json.loads(store.storage.read(entry.name))
            query = {str(key): [str(one) for one in texts] for key, texts in values["query"].items()}
            view_id = entry.name.rpartition("/")[2].removesuffix(_SUFFIX)  # whatever the content says
            found.append(View(view_id, str(values["name"])[:LONGEST_NAME], str(values["page"]), query))
        except FileNotFoundError:
            continue  # deleted just now
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("Left out the view %s: %s", entry.name, error)
    return sorted(found, key=lambda view: (view.name.casefold(), view.view_id))


def delete_view(store: RunStore, view_id: str) -> None:
    """Delete a view; one that is not there is no error."""
    store.storage.delete(_object(view_id))


def _object(view_id: str) -> str:
    return f"{_FOLDER}/{view_id}{_SUFFIX}"
