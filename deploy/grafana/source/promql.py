"""The shapes of PromQL that panels repeat; `by` names the labels that stay."""


def per_second(counter: str, *by: str) -> str:
    """How often, over all replicas."""
    return f"sum{_by(by)}(rate({counter}[$__rate_interval]))"


def per_minute(counter: str, *by: str) -> str:
    """As `per_second`, for what happens rarely."""
    return f"60 * {per_second(counter, *by)}"


def total(counter: str, *by: str) -> str:
    """How many in the time that the dashboard shows."""
    return f"sum{_by(by)}(increase({counter}[$__range]))"


def quantile(share: float, histogram: str, *by: str, where: str = "") -> str:
    """The value that this share of the observations stays below."""
    chosen = f"{{{where}}}" if where else ""
    return f"histogram_quantile({share}, {per_second(f'{histogram}_bucket{chosen}', 'le', *by)})"


def mean(histogram: str, *by: str) -> str:
    """The mean of the observations."""
    return f"{per_second(f'{histogram}_sum', *by)} / {per_second(f'{histogram}_count', *by)}"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""
