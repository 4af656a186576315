"""`nox -s what-if`: what would help a cell, by its why, measured beside it."""
