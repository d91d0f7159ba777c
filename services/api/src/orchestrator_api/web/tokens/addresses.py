"""Where the pages about tokens are."""

from orchestrator_api.web.address import BOTH, PROJECT, READ, Address
from orchestrator_api.web.tokens import dialogs, listing, secret

TOKENS = f"{PROJECT}/tokens"
PAGES = (
    Address("tokens", TOKENS, listing.listing, READ),
    Address("new_token", f"{TOKENS}/new", dialogs.new, BOTH),
    Address("edit_token", f"{TOKENS}/{{token}}", dialogs.edit, BOTH),
    Address("refresh_token", f"{TOKENS}/{{token}}/refresh", secret.refresh, BOTH),
    Address("revoke_token", f"{TOKENS}/{{token}}/revocation", secret.revoke, BOTH),
)
