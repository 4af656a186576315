"""`nox -s ask`: a question that people ask, answered by a measurement on this machine."""
