"""Runs components in containers of a Docker engine; no other module outside knows how."""
