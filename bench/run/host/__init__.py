"""The machine: what it is, which cores may be used, what is seen of it during a trial."""
