"""Where a demo runs: on the local stack or on a remote server."""

from dataclasses import dataclass

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_local.demo.mailboxes import Mailbox


@dataclass(frozen=True)
class Setting:
    """What the demo can reach; the mails and warehouse of a remote server may be out of reach."""

    context: Context
    mailbox: Mailbox | None
    warehouse_url: str
    end: str
    state_dir_option: str = ""
    """` --state-dir …` where commands need it to find the local stack."""

    @property
    def project_path(self) -> str:
        return self.context.project_path()

    def client(self) -> ApiClient:
        return self.context.client()
