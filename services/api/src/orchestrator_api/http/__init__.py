"""Shared by all endpoints: sessions, bodies, paging, errors."""
