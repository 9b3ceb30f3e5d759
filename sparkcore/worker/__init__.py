"""What an executor runs: from file names or bytes to result rows. Imports neither pyspark nor the engine."""
