"""One more trial of a cell, with a sampling profiler: which function took the time."""
