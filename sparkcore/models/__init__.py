"""Classifiers: the registry, their weights and labels, and prediction."""
