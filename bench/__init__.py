"""The harness: it plans, starts, loads, measures, judges and explains."""
