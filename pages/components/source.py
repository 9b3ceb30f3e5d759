"""The first part of a request: the pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import streamlit as st

from pages.components import browser, text, trouble
from sparkcore import intake, uploads
from sparkcore.errors import InputError, StorageError
from sparkcore.folders import FIRST_PICTURES
from sparkcore.origins import absolute_path, is_local, list_file, origin_of
from sparkcore.roots import Root
from sparkcore.runs.notes import source_name
from sparkcore.runs.store import RunStore
from sparkcore.samples import list_samples, stored_samples

SAMPLES, FOLDER, UPLOAD, LIST = "samples", "folder", "upload", "list"
_KINDS = {SAMPLES: "Built-in samples", FOLDER: "Folder on the server", UPLOAD: "Upload"}
_LISTED = {LIST: "Chosen pictures"}
_REFUSED_SHOWN = 20
_COUNTED_FILES = 10_000

Refused = tuple[tuple[str, str], ...]  # file name and reason


@dataclass(frozen=True, slots=True)
class Source:
    """Hold the choice: `text` is a path or list (empty for samples and uploads), `files` are the uploads.

    `is_usable` tells whether there is something to run: a folder that may be read, or a file.
    """

    kind: str
    text: str = ""
    files: list[Any] = field(default_factory=list)
    is_usable: bool = True


def show(store: RunStore, folders: list[str], prefix: str, default: str | None) -> Source:
    """Draw the choice of pictures; `folders` are suggestions, `default` is the folder or list to start with."""
    listed = default if default and list_file(default) else None
    kinds = {**_LISTED, **_KINDS} if listed else _KINDS
    kind = st.segmented_control(
        "Pictures",
        list(kinds),
        default=LIST if listed else FOLDER if default else SAMPLES,
        format_func=kinds.__getitem__,
        key=f"{prefix}kind",
        persist_state="session",
    )
    if kind == LIST and listed:
        return _show_list(store, listed)
    if kind == FOLDER:
        return _show_folder(store, folders, prefix, None if listed else default)
    if kind == UPLOAD:
        return _show_upload(prefix)
    st.caption(f"{len(list_samples())} rendered pictures of everyday things with known labels.")
    return Source(SAMPLES)


def resolve(source: Source, store: RunStore) -> tuple[str, Refused]:
    """Return the path of the pictures, after copying or saving them where needed, and the files that were refused.

    Raises InputError where they cannot be used.
    """
    if source.kind == SAMPLES:
        return str(stored_samples(store.state)), ()
    if source.kind in (FOLDER, LIST):
        return intake.choose_images(source.text, intake.allowed_roots(store.state)), ()
    with st.spinner("Checking the pictures …"):
        files = [uploads.SentFile(file.name, file.size, file.getvalue) for file in source.files]
        upload = uploads.save_upload(files, store.state)
    if upload.folder is None:
        show_refused(upload.refused)
        raise InputError("Upload: expected at least one picture that can be read, received none. Choose other files.")
    return str(upload.folder), upload.refused


def show_refused(refused: Refused) -> None:
    """Name the files of an upload that were refused, and why."""
    if not refused:
        return
    lines = "\n".join(f"- **{text.escape(name)}**: {text.escape(reason)}" for name, reason in refused[:_REFUSED_SHOWN])
    more = f"\n- and {len(refused) - _REFUSED_SHOWN:,} more" if len(refused) > _REFUSED_SHOWN else ""
    st.warning(f"Uploaded files left out: {len(refused):,}\n{lines}{more}", icon=":material/block:")


def _show_list(store: RunStore, listed: str) -> Source:
    st.markdown(f"**{text.escape(source_name(listed))}**")
    roots = intake.allowed_roots(store.state)
    try:
        path = Path(intake.choose_images(listed, roots)[1:])
        with path.open(encoding="utf-8", errors="replace") as lines:
            first = [line.strip() for line in islice(lines, FIRST_PICTURES)]
    except (InputError, OSError) as error:
        trouble.show(error if isinstance(error, InputError) else InputError(f"The list cannot be read: {error}"))
        return Source(LIST, listed, is_usable=False)
    browser.show_pictures([line if "://" in line else origin_of(absolute_path(line)) for line in first], roots)
    return Source(LIST, listed)


def _show_folder(store: RunStore, folders: list[str], prefix: str, default: str | None) -> Source:
    roots = intake.allowed_roots(store.state)
    key = f"{prefix}folder"
    given = [one for one in (default, st.session_state.get(key)) if one]
    options = list(dict.fromkeys([*given, *folders, *map(str, intake.given_roots())]))
    chosen = st.selectbox(
        "Folder, file or pattern",
        options,
        index=0 if default else None,
        accept_new_options=True,
        placeholder="Path on the server",
        key=key,
        persist_state="session",
        help="Subfolders are included. Allowed: " + ", ".join(f"`{root}`" for root in roots),
    )
    is_usable = chosen is not None and _check_folder(chosen, roots)
    browser.show(chosen, roots, key)
    return Source(FOLDER, chosen or "", is_usable=is_usable)


def _check_folder(chosen: str, roots: Sequence[Root]) -> bool:
    """Say how many files are there, or what is wrong with the choice; tell whether it can be used."""
    try:
        place = intake.choose_images(chosen, roots)
        if is_local(place) and not Path(place).is_dir():
            return True
        count, is_all = _count_files(place) if is_local(place) else _count_objects(place)
    except (InputError, StorageError) as error:
        trouble.show(error)
        return False
    if not count:
        st.warning("This folder holds no files. Choose another one.", icon=":material/folder_off:")
    else:
        st.caption(f"{count:,} {'file' if count == 1 else 'files'}" if is_all else f"More than {count:,} files")
    return count > 0


@st.cache_data(ttl=10, max_entries=100, show_spinner=False)
def _count_files(folder: str) -> tuple[int, bool]:
    """Count the files in a folder and below; tell whether these are all, because counting ends at `_COUNTED_FILES`."""
    count = 0
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += sum(not name.startswith(".") for name in files)
        if count > _COUNTED_FILES:
            return _COUNTED_FILES, False
    return count, True


@st.cache_data(ttl=10, max_entries=100, show_spinner=False)
def _count_objects(uri: str) -> tuple[int, bool]:
    count = intake.count_objects(uri, _COUNTED_FILES + 1)
    return min(count, _COUNTED_FILES), count <= _COUNTED_FILES


def _show_upload(prefix: str) -> Source:
    whole = st.toggle(
        "A whole folder", key=f"{prefix}whole", help="Subfolders are kept; their names can be true labels."
    )
    files = st.file_uploader(
        "Pictures to upload",
        accept_multiple_files="directory" if whole else True,
        key=f"{prefix}files_{whole}",
        label_visibility="collapsed",
    )
    st.caption(
        f"At most {uploads.MAX_FILES} files, {uploads.MAX_FILE_BYTES // 10**6} MB each, "
        f"{uploads.MAX_UPLOAD_BYTES // 10**6} MB together."
    )
    return Source(UPLOAD, files=list(files or []), is_usable=bool(files))
