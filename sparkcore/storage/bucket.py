"""Clients of object stores: settings from the environment, our timeouts and retries, errors in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sparkcore.errors import NoAnswerError, StorageError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

Settings = tuple[tuple[str, str], ...]

# What an executor needs to know beside its own credentials. Nothing here is a secret.
_TRAVELING = {
    "s3": (
        "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ALLOW_HTTP",
        "AWS_SKIP_SIGNATURE", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    ),
    "gs": ("GOOGLE_SKIP_SIGNATURE",),
    "az": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ENDPOINT", "AZURE_ALLOW_HTTP", "AZURE_SKIP_SIGNATURE"),
}  # fmt: skip
_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
_ADVICE = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    "gs": "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_STATUS = re.compile(r"status code: (\d{3})([A-Za-z -]*)")
_SERVER = re.compile(r"Error performing [A-Z]+ (https?://[^/\s@]+)")
_QUERY = re.compile(r"\?\S+")  # may hold a signature
_INSTANCE_METADATA = re.compile(r"/latest/api/token|/security-credentials|/computeMetadata/|/metadata/identity/")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request may take: silence and retries in seconds, and the number of retries."""

    connect_s: float
    silence_s: float
    retries: int
    retry_s: float


BRISK = Patience(connect_s=2, silence_s=4, retries=1, retry_s=4)
PATIENT = Patience(connect_s=5, silence_s=10, retries=4, retry_s=30)


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI."""
    return uri.partition(":")[0]


def traveling_settings(uri: str) -> Settings:
    """Return the settings of this process that executors need too, to reach the bucket `uri`."""
    return tuple((name, os.environ[name]) for name in _TRAVELING[scheme_of(uri)] if os.environ.get(name))


def open_bucket(uri: str, settings: Settings, patience: Patience) -> ObjectStore:
    """Return a client of the bucket `uri`; equal ones share connections. Raises StorageError for wrong settings."""
    prefix = _PREFIXES[scheme_of(uri)]
    # Part of the key: another key in the environment is another client.
    environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith(prefix)))
    return _client(uri, settings, patience, environment)


@lru_cache(maxsize=16)
def _client(uri: str, settings: Settings, patience: Patience, environment: Settings) -> ObjectStore:
    del environment  # obstore reads it by itself
    import obstore.store

    scheme, _, name = uri.partition("://")
    kinds = {"s3": obstore.store.S3Store, "gs": obstore.store.GCSStore, "az": obstore.store.AzureStore}
    config: dict[str, Any] = {key.lower(): value for key, value in settings if not key.endswith("_ALLOW_HTTP")}
    allow_http = _allows_http(uri, settings)
    client: ClientConfig = {
        "allow_http": allow_http,
        "connect_timeout": timedelta(seconds=patience.connect_s),
        "read_timeout": timedelta(seconds=patience.silence_s),
        "timeout": timedelta(hours=1),  # of a whole request: a large object on a slow line
    }
    retry: RetryConfig = {
        "max_retries": patience.retries,
        "retry_timeout": timedelta(seconds=patience.retry_s),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=8), "base": 2},
    }
    with translated(uri):
        return kinds[scheme](name, config=config, client_options=client, retry_config=retry)


def _allows_http(uri: str, settings: Settings) -> bool:
    values = dict(settings)
    allowed = any(
        values.get(name, "").lower() in ("1", "true", "yes") for name in ("AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP")
    )
    endpoint = next((value for name, value in settings if "ENDPOINT" in name and value.startswith("http://")), None)
    if endpoint and not allowed:
        raise StorageError(
            f"{uri}: {endpoint} is not encrypted. Use https, or set {_PREFIXES[scheme_of(uri)]}ALLOW_HTTP=true."
        )
    return allowed


@contextmanager
def translated(uri: str, passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Raise FileNotFoundError and StorageError in the place of obstore's exceptions, except those of `passing`."""
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except passing:
        raise
    except FileNotFoundError:
        raise FileNotFoundError(f"{uri}: no such object.") from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise StorageError(_denied(uri)) from None
    except (BaseError, OSError) as error:
        raise _unspecific(uri, str(error)) from None


def _denied(uri: str) -> str:
    return f"{uri}: access was denied. Check {_ADVICE[scheme_of(uri)]}."


def _unspecific(uri: str, text: str) -> FileNotFoundError | StorageError:
    """Return the error that a message of obstore's means: listings and credentials have no types of their own."""
    if _INSTANCE_METADATA.search(text):
        return StorageError(f"{uri}: no credentials were found. Set {_ADVICE[scheme_of(uri)]}.")
    status = _STATUS.search(text)
    if status and status[1] == "404":
        return FileNotFoundError(f"{uri}: no such bucket or object.")
    if status and status[1] in ("401", "403"):
        return StorageError(_denied(uri))
    server = _SERVER.search(text)
    if status:
        return StorageError(f"{uri}: the server answered {status[1]}{status[2]}.")
    if server:
        return NoAnswerError(f"{uri}: no answer from {server[1]}. Check the network and the address.")
    return StorageError(f"{uri}: {_QUERY.sub('', text.splitlines()[0]).rstrip('. ')}.")
