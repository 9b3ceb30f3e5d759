"""The driver: listing, reading, the worker loop, the pipeline and the engine process (pyspark)."""
