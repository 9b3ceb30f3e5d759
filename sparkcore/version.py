"""The version, apart from the public API in `__init__`, so that importing it leads nowhere else."""

from __future__ import annotations

__version__ = "0.2.0"
