"""Orchestrations: their definitions, the checks on them, and previews of rearranged tasks."""
