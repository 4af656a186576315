"""What locust's master and its workers call the messages of ours, and how long they wait."""

from __future__ import annotations

AIM, COUNTED, TOLD = "matrix_aim", "matrix_counted", "matrix_told"
# Of workers on other machines: what time is it there, a piece of a file, and that all is there.
CLOCK, PIECE, TAKEN, FREE = "matrix_clock", "matrix_piece", "matrix_taken", "matrix_free"

LOST_S = 10.0  # without a word from the other end, on another machine, it is lost
