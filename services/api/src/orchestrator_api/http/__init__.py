"""What every call shares: sessions, bodies, paging, refusals."""
