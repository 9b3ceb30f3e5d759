"""What the samples show, one file a family of subjects."""
