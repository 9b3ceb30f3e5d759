"""Analysis of finished runs: filters, metrics, comparison, charts, exports and reports."""
