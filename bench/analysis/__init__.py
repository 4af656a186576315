"""From records to findings: limits, reasons, verdicts, rows. Pure, every bit of it."""
