"""The rules of event triggers (PRODUCT section 5): pure, no I/O, no clock of their own."""
