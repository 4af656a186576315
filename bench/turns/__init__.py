"""Several servers of one cell, compared: asked in turn, or in whole trials."""
