"""The cookies that servers set on the way through redirects: some download sites need them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from orchestrator_shared.http_transport.address import Address

if TYPE_CHECKING:
    from http.cookiejar import CookieJar


class Cookies:
    """Sent back where they belong, as browsers do; forgotten at the end."""

    def __init__(self) -> None:
        self._jar: CookieJar | None = None

    def keep(self, address: Address, values: Sequence[str]) -> None:
        """Remember the values of a response's Set-Cookie headers."""
        if not values:
            return
        # Imported late: most downloads meet no cookie, and the import is slow.
        from email.message import Message
        from http.cookiejar import CookieJar
        from urllib.request import Request

        message = Message()
        for value in values:
            message["Set-Cookie"] = value
        self._jar = self._jar or CookieJar()
        self._jar.extract_cookies(cast(Any, _Headers(message)), Request(str(address)))  # noqa: S310  opens nothing

    def header(self, address: Address) -> str | None:
        """The value of the header Cookie for a request to this address."""
        if self._jar is None:
            return None
        from urllib.request import Request

        request = Request(str(address))  # noqa: S310  opens nothing
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")


class _Headers:
    """What a cookie jar wants to see of a response."""

    def __init__(self, message: Any) -> None:
        self._message = message

    def info(self) -> Any:
        return self._message
