"""The servers of a trial: the one under test, and the delay server behind it."""
