"""HTTP to places that users name: only to allowed addresses, and limited in time and size."""
