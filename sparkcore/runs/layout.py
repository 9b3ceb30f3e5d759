"""The names of a run's objects in the store."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

BUCKETS_PER_SHARD = 256  # of receipts: a complete shard is never listed again


def run_folder(run_id: str) -> str:
    """Return the folder of a run."""
    return f"runs/{run_id}"


def plan_name(run_id: str) -> str:
    """Return the name of the plan, which is created before anything is computed."""
    return f"runs/{run_id}/plan.json"


def manifest_name(run_id: str) -> str:
    """Return the name of the manifest; a folder without one is not a run yet."""
    return f"runs/{run_id}/manifest.json"


def classes_name(run_id: str) -> str:
    """Return the name of the file with all class names of the model."""
    return f"runs/{run_id}/classes.json"


def groups_name(run_id: str) -> str:
    """Return the name of the file with the groups of the model's classes, where it brings its own."""
    return f"runs/{run_id}/groups.json"


def files_name(run_id: str) -> str:
    """Return the name of the table of committed part files."""
    return f"runs/{run_id}/files.parquet"


def columns_folder(run_id: str) -> str:
    """Return the folder of the compacted columns."""
    return f"runs/{run_id}/columns"


def columns_name(run_id: str, number: int) -> str:
    """Return the name of one file of compacted columns."""
    return f"{columns_folder(run_id)}/{number:05d}.parquet"


def recipe_name(recipe_id: str, run_id: str) -> str:
    """Return the name of the empty object by which later runs of the same recipe find this one."""
    return f"recipes/{recipe_id}/{run_id}"


@dataclass(frozen=True, slots=True)
class PlanFolder:
    """Name what lies below the word of a plan: listing, part files and receipts."""

    run_id: str
    word: str

    @property
    def path(self) -> str:
        """Return the folder itself."""
        return f"{run_folder(self.run_id)}/{self.word}"

    @property
    def receipts(self) -> str:
        """Return the folder of all receipts."""
        return f"{self.path}/receipts"

    def listing(self, number: int) -> str:
        """Return the name of a listing file."""
        return f"{self.path}/listing/{number:05d}.parquet"

    def new_part(self, bucket: int) -> str:
        """Return a name for a part file that was never used."""
        return f"{self.path}/results/{bucket:06d}-{uuid.uuid4().hex}.parquet"

    def shard(self, bucket: int) -> str:
        """Return the folder of the receipts of this bucket and its neighbors."""
        return f"{self.receipts}/{bucket // BUCKETS_PER_SHARD:04d}"

    def receipt(self, bucket: int) -> str:
        """Return the name of a receipt."""
        return f"{self.shard(bucket)}/{bucket:06d}.json"
