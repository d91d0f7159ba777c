"""Where one searches."""

from orchestrator_api.web.address import PROJECT, READ, Address
from orchestrator_api.web.search import page

PAGES = (Address("search", f"{PROJECT}/search", page.search, READ),)
