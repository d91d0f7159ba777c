"""Our own headers that several calls share."""

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_KEY_CHARACTERS = 200
