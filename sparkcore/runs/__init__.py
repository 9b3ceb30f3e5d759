"""Runs on disk: the store, manifests, results, notes and the job table."""
