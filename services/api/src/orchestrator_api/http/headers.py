"""Our own headers that several calls share."""

IDEMPOTENCY_KEY = "Idempotency-Key"
CSRF_TOKEN = "X-CSRF-Token"  # noqa: S105  the name of a header
MAX_KEY_CHARACTERS = 200
