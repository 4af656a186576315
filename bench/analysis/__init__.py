"""From records to results: limits, reasons, verdicts, rows. Pure, every bit of it."""
