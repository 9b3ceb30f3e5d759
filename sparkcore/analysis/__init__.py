"""What can be said about a result after its run: filters, metrics, comparison, charts, exports."""
