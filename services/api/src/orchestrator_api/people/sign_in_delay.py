"""How long an account is closed after wrong passwords: longer after each."""

FREE_FAILURES = 5
MAX_SECONDS = 300.0


def delay_after(failures: int) -> float:
    """Seconds until the next try: none after the first few failures, then 1, 2, 4 and so on."""
    if failures < FREE_FAILURES:
        return 0.0
    return float(min(MAX_SECONDS, 2.0 ** min(failures - FREE_FAILURES, 20)))
