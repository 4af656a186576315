"""From rows to what people and programs read. Pure: the same records give the same bytes."""
