"""Passwords: hashed with argon2id, in at most two threads, and as long for an account that does not exist."""

import base64
import os
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from orchestrator_api.http.offload import Offload

MIN_CHARACTERS = 12
MAX_CHARACTERS = 200
THREADS = 2
"""At most so many hashes at once, each with its own 64 MiB."""
HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password is right, and its hash under the present parameters if it was made under others."""

    is_right: bool
    new_hash: str | None = None


@dataclass(slots=True)
class Passwords:
    """Hashes passwords on behalf of callers, who take turns."""

    hasher: PasswordHasher = HASHER
    offload: Offload = field(default_factory=lambda: Offload(threads=THREADS))

    async def hash(self, caller: object, password: str) -> str:
        """The hash to store."""
        return await self.offload.run(caller, lambda: self.hasher.hash(_bytes(password)))

    async def verify(self, caller: object, stored: str | None, password: str) -> Verdict:
        """Check a password; without a stored hash, it takes as long and is wrong."""
        return await self.offload.run(caller, lambda: self._verify(stored, password))

    def _verify(self, stored: str | None, password: str) -> Verdict:
        try:
            self.hasher.verify(stored or no_ones_hash(self.hasher), _bytes(password))
        except (VerificationError, InvalidHashError):
            return Verdict(is_right=False)
        if stored is None or not self.hasher.check_needs_rehash(stored):
            return Verdict(is_right=stored is not None)
        return Verdict(is_right=True, new_hash=self.hasher.hash(_bytes(password)))


def no_ones_hash(hasher: PasswordHasher) -> str:
    """A hash under the present parameters that no known password has."""
    salt, digest = (
        base64.b64encode(os.urandom(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
