"""What a service reports at `/metrics`."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Scraped:
    """The samples of one scrape: `scraped("orchestrator_jobs", kind="run", status="ready")`."""

    def __init__(self, text: str) -> None:
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @classmethod
    async def of(cls, url: str) -> "Scraped":
        """Scrape the service at this address."""
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
            return cls((await http.get("/metrics")).text)

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of one series; None if it is not reported."""
        return self._values.get((name, frozenset(labels.items())))

    def total(self, name: str) -> float:
        """All series of this name added up."""
        return sum(value for (each, _), value in self._values.items() if each == name)
