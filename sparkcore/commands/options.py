"""From the options of a command to settings and to the store."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from sparkcore.config import EngineConfig, RunConfig, spark_setting
from sparkcore.errors import ConfigError, RunNotFoundError
from sparkcore.origins import absolute_path, is_local
from sparkcore.runs.store import RunStore


def run_config(options: argparse.Namespace) -> RunConfig:
    """Return the request that the options describe. Raises ConfigError."""
    given = {field.name: getattr(options, field.name) for field in fields(RunConfig)}
    if (options.images is None) == (options.list is None):
        raise ConfigError("images: expected either IMAGES or --list FILE.")
    given["images"] = options.images or f"@{absolute_path(options.list)}"
    given["truth"] = None if truth_file(options) else options.truth
    return RunConfig.from_dict({name: value for name, value in given.items() if value is not None})


def truth_file(options: argparse.Namespace) -> Path | None:
    """Return the CSV that the option --truth names, None where it names none; raises ConfigError if it is missing."""
    if not options.truth or not options.truth.lower().endswith(".csv"):
        return None
    path = absolute_path(options.truth)
    if not path.is_file():
        raise ConfigError.unexpected("truth", "the path of a CSV with names and labels", options.truth)
    return path


def engine_config(options: argparse.Namespace) -> EngineConfig:
    """Return the execution settings from options and environment. Raises ConfigError."""
    given = {field.name: getattr(options, field.name, None) for field in fields(EngineConfig)}
    given["spark_conf"] = tuple(map(spark_setting, given["spark_conf"] or ()))
    return EngineConfig.from_environment(**given)


def existing_store(options: argparse.Namespace) -> RunStore:
    """Return the store that the options name; raises RunNotFoundError for no folder, StorageError for no bucket."""
    engine = engine_config(options)
    store = RunStore(engine.store, engine.state)
    store.storage.check()
    if is_local(store.uri) and not Path(store.uri).is_dir():
        raise RunNotFoundError(
            f"Expected a store of runs at {store.uri}, found none. Run `sparkcore run IMAGES` first, or pass --store."
        )
    return store
