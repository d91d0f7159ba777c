"""Where the pages about one run are."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, RUN, Address
from orchestrator_api.web.runs import actions, page

PAGES = (
    Address("run", RUN, page.run, READ),
    Address("job_log_part", f"{PROJECT}/jobs/{{job}}/log", page.log_part, READ),
    Address("terminate_run", f"{RUN}/termination", actions.terminate, BOTH),
    Address("retry_run", f"{RUN}/retry", actions.retry, BOTH),
)
