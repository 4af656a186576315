"""Effects: processes, clocks, files. Nothing here computes a result."""
