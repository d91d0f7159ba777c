"""Our own headers that several calls share."""

IDEMPOTENCY_KEY = "Idempotency-Key"
REQUEST_ID = "X-Request-Id"
MAX_KEY_CHARACTERS = 200
