"""What several routes of this room need."""

from typing import Annotated

from fastapi import Depends, Request

from orchestrator_api.people.sign_in import SignIns

MAX_BYTES = 8 * 1024
"""Of a body with an address and a password."""


def _desk(request: Request) -> SignIns:
    desk: SignIns = request.app.state.sign_ins
    return desk


Desk = Annotated[SignIns, Depends(_desk)]
