"""A run's records: what is kept of each trial, and how it is written and read back."""
