"""The highest rate of independent requests at which a cell keeps what is asked of it."""
