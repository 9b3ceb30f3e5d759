"""What a session tells of its workers, and the Spark jobs of one run: tag them, cancel them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkcore.engine.masters import is_local_master

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def is_remote(spark: SparkSession) -> bool:
    """Tell whether a session is one of Spark Connect, whose driver is elsewhere."""
    from pyspark.sql.utils import is_remote as uses_connect

    return uses_connect() and not hasattr(spark, "_jsparkSession")


def workers_are_local(spark: SparkSession) -> bool:
    """Tell whether the workers share this machine's disk.

    A Connect server is elsewhere, whatever master it has itself.
    """
    return not is_remote(spark) and is_local_master(str(spark.sparkContext.master))


def worker_slots(spark: SparkSession) -> int | None:
    """Return how many tasks run at once, or None for a Spark Connect server, which does not tell."""
    return None if is_remote(spark) else spark.sparkContext.defaultParallelism


def tag_jobs(spark: SparkSession, tag: str) -> None:
    """Tag the Spark jobs that this thread starts from now on."""
    if is_remote(spark):
        spark.addTag(tag)
    else:
        spark.sparkContext.addJobTag(tag)


def cancel_jobs(spark: SparkSession, tag: str) -> None:
    """Cancel all Spark jobs with a tag, whichever thread started them.

    A classic session interrupts only the tags of the calling thread, so the jobs are cancelled in the SparkContext.
    """
    if is_remote(spark):
        spark.interruptTag(tag)
    else:
        spark.sparkContext.cancelJobsWithTag(tag)
