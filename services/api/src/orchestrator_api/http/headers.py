"""Our own headers that several calls share."""

IDEMPOTENCY_KEY = "Idempotency-Key"
MOST_KEY_CHARACTERS = 200
