"""The disk: immutable runs, the job table, and reading results back (pyarrow, sqlite3)."""
