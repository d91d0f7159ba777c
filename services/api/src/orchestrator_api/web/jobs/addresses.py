"""Where the pages about jobs are."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, Address
from orchestrator_api.web.jobs import actions, listing, page

PAGES = (
    Address("jobs", f"{PROJECT}/jobs", listing.jobs, READ),
    Address("job", f"{PROJECT}/jobs/{{job}}", page.job, READ),
    Address("terminate_job", f"{PROJECT}/jobs/{{job}}/termination", actions.terminate, BOTH),
)
