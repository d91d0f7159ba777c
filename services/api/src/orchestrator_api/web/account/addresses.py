"""Where the pages about one's own account are."""

from orchestrator_api.web.account import actions, page
from orchestrator_api.web.address import BOTH, SEND, Address

PAGES = (
    Address("account", "/account", page.account, BOTH),
    Address("own_password", "/account/password", actions.password, BOTH),
    Address("end_session", "/account/sessions/{session}/end", actions.end_session, SEND),
    Address("end_all_sessions", "/account/sessions/end", actions.end_all, BOTH),
    Address("revoke_login", "/account/logins/{token}/revocation", actions.revoke_login, SEND),
)
