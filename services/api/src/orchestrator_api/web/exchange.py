"""Codes of confirmed logins become tokens."""

from collections.abc import Sequence

from orchestrator_api.access import personal_tokens
from orchestrator_api.access.rows import CreatedPersonalToken
from orchestrator_api.http.refusals import Unauthenticated
from orchestrator_api.http.session import Sessions
from orchestrator_api.web import cli_codes


async def token_for(
    sessions: Sessions, keys: Sequence[bytes], *, code: str, verifier: str, address: str
) -> CreatedPersonalToken:
    """The token of whoever confirmed the login; raises Unauthenticated."""
    now = sessions.clock.now()
    login = cli_codes.verify(keys, code, verifier, now)
    if login is None:
        raise Unauthenticated("this code is not valid, or it is older than a minute: log in again")
    wanted = personal_tokens.Login(login.token_id, login.person_id, login.session_id, login.name, address)
    async with sessions.units_of_work.work() as work:
        return await personal_tokens.create(work, wanted, now)
