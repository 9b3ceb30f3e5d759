"""Warm jobs of one source tree: reads a line, carries out a job, prints its seconds as JSON; ends with its input.

    python -P warm_jobs.py IMAGES MODEL WEIGHTS MASTER     (in the tree, with PYTHONPATH naming it; MASTER - for local)

It is run as a file and uses nothing but the public names of the tree, so that it measures older ones too.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

_WARM_UPS = 2


def main() -> None:
    """Start a session, warm it up, and carry out jobs, each into an empty store."""
    import sparkcore
    from sparkcore.config import EngineConfig, RunConfig
    from sparkcore.engine.pipeline import run
    from sparkcore.engine.session import start_session

    if Path.cwd() not in Path(sparkcore.__file__).parents:
        raise SystemExit(f"Expected the package of {Path.cwd()}, received {sparkcore.__file__}.")
    images, model, weights, master = (None if word == "-" else word for word in sys.argv[1:5])
    with tempfile.TemporaryDirectory(prefix="sparkcore-reach-") as folder:
        spark = start_session(EngineConfig(store=Path(folder, "session"), master=master))

        def job() -> dict[str, float]:
            store = Path(folder, "store")
            started = time.perf_counter()
            manifest = run(RunConfig(images, model, weights), EngineConfig(store=store, master=master)).manifest
            wall_s = time.perf_counter() - started
            shutil.rmtree(store)
            return {"wall_s": wall_s, "images": manifest.counts["images"], "errors": manifest.counts["errors"]}

        for _ in range(_WARM_UPS):
            job()
        print("ready", flush=True)
        for _ in sys.stdin:
            print(json.dumps(job()), flush=True)
        spark.stop()


if __name__ == "__main__":
    main()
