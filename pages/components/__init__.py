"""What pages are made of: each draws one thing, and owns the keys of its widgets."""
