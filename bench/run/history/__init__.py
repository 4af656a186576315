"""Run folders: made, found again, resumed."""
