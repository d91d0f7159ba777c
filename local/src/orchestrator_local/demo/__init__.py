"""A real pipeline on real data, and what it shows a visitor."""
