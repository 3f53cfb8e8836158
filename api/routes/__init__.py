"""One small file for each group of addresses."""
