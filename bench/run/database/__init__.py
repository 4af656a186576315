"""The databases that io kinds ask: one of ours for a run, or a person's own by its address."""
