"""Classifiers: which there are, where their weights and labels come from, and how they predict on a worker."""
