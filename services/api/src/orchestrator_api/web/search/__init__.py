"""Search or do: one field that finds things, pages and what can be done."""
