"""The commands that look after a store: check, clean up, delete."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from itertools import chain

from sparkcore.commands.options import existing_store
from sparkcore.commands.terminal import print_json, watching
from sparkcore.errors import RequestError, RunCancelledError, RunFailedError, RunNotFoundError
from sparkcore.runs.garbage import remove_all, store_garbage
from sparkcore.runs.local_garbage import local_garbage
from sparkcore.runs.mapped import forget
from sparkcore.runs.store import RunStore
from sparkcore.runs.verification import verify_run


def verify(options: argparse.Namespace) -> None:
    """Check the files of a finished run; prints what is wrong, and raises RunFailedError where anything is."""
    store = existing_store(options)
    run_id = store.find("latest").run_id if options.run == "latest" else _find(store, options.run)
    if not store.has(run_id):
        raise RunNotFoundError(f"Expected a finished run, received {run_id}, which is not. Run it to its end.")
    with watching(sys.stderr, "nothing was changed.") as watch:
        try:
            found = verify_run(store.storage, run_id, watch)
        except FileNotFoundError as error:
            raise RunNotFoundError(f"Run {run_id} was deleted just now: {error}") from error
    if options.json:
        print_json({**asdict(found), "clean": found.is_clean})
    else:
        print(*found.problems, sep="\n", end="\n" if found.problems else "")
        print(f"Run {run_id}: {found.parts:,} part files, {found.rows:,} rows, {found.size_bytes:,} bytes read.")
    if not found.is_clean:
        count = len(found.problems)
        raise RunFailedError(f"run {run_id} is damaged: {count:,} problem{'s' * (count > 1)}. Delete it and run again.")
    if not options.json:
        print("Clean.")


def gc(options: argparse.Namespace) -> None:
    """Remove what no run needs, or only say what that is; raises RunFailedError where something cannot be removed."""
    store = existing_store(options)
    found = chain(store_garbage(store), local_garbage(store))
    results = ((one, "") for one in found) if options.dry_run else remove_all(found)
    rows, failed, size_bytes = [], [], 0
    for one, reason in results:
        if reason:
            failed.append(f"{one.name}: {reason}")
            continue
        rows.append({"kind": one.kind, "name": one.name, "size_bytes": one.size_bytes})
        size_bytes += one.size_bytes
        if not options.json:
            print(f"{one.kind}: {one.name} ({one.size_bytes:,} bytes)")
    if options.json:
        print_json({"dry_run": options.dry_run, "removed": rows, "size_bytes": size_bytes})
    else:
        verb = "Would remove" if options.dry_run else "Removed"
        print(f"{verb} {len(rows):,} object{'s' * (len(rows) != 1)}, {size_bytes:,} bytes.")
    if failed:
        raise RunFailedError(f"{len(failed):,} could not be removed; the first one is {failed[0]}")


def delete(options: argparse.Namespace) -> None:
    """Delete a run, finished or not, after a question on the terminal."""
    store = existing_store(options)
    run_id = _find(store, options.run)
    if not options.yes:
        _ask(store, run_id)
    store.delete(run_id)
    forget(store, run_id)
    print(f"Deleted run {run_id}.")


def _ask(store: RunStore, run_id: str) -> None:
    """Raise RunCancelledError unless somebody says yes, RequestError where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise RequestError("--yes: expected without a terminal, because there is nobody to ask. Add it.")
    kind = "the finished run" if store.has(run_id) else "the unfinished run"
    print(f"Delete {kind} {run_id} ({store.size_bytes(run_id):,} bytes) from {store.uri}? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise RunCancelledError("nothing was deleted.")


def _find(store: RunStore, prefix: str) -> str:
    """Return the id of the one run, finished or not, that begins with these characters."""
    ids = store.run_ids()
    matches = [run_id for run_id in ids if prefix and run_id.startswith(prefix)]
    if len(matches) != 1:
        raise RunNotFoundError(
            f"Expected the id of one run in {store.uri}, received {prefix!r}, which fits {len(matches)} of {len(ids)}.",
            shell="`python -m sparkcore runs` and `runs --unfinished` list what is there.",
        )
    return matches[0]
