"""Trials that are simulated: the truth is known, and thousands cost nothing."""
