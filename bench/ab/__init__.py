"""Two revisions of one application, side by side."""
