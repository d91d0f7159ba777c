"""What a token may do, in words. Pure."""

from collections.abc import Sequence

from orchestrator_api.access.permissions import ALL_BUCKETS, ALL_COMPONENTS, Scope
from orchestrator_api.access.rows import Token
from orchestrator_shared.domain.ids import ORCHESTRATOR

MOST_NAMED = 3
ALL = 10_000


def may(token: Token, most: int = MOST_NAMED) -> list[str]:
    """One sentence for each scope, the widest first; lists name `most` things, or one more."""
    said = []
    if Scope.CONFIGURE in token.scopes:
        said.append(_changes(token.components, most))
    if Scope.READ in token.scopes or Scope.CONFIGURE in token.scopes:
        said.append("Sees everything, secrets masked")
    if Scope.RUN in token.scopes:
        said.append(_starts(token.components, most))
    if Scope.PUBLISH in token.scopes:
        said.append(_publishes(token.buckets, most))
    return said


def _starts(components: Sequence[str], most: int) -> str:
    if ALL_COMPONENTS in components:
        return "Starts everything that is defined"
    kinds = [each for each in components if "/" not in each and each != ORCHESTRATOR]
    single = [each.removeprefix(f"{ORCHESTRATOR}/") for each in components if "/" in each]
    parts = []
    if not components or ORCHESTRATOR in components:
        parts.append("every orchestration")
    if single:
        parts.append(named(single, most))
    if kinds:
        parts.append(f"what {named(kinds, most)} {'run' if len(kinds) > 1 else 'runs'}")
    return f"Starts {', and '.join(parts)}"


def _changes(components: Sequence[str], most: int) -> str:
    if ALL_COMPONENTS in components:
        return "Changes everything that is defined"
    kinds = [each for each in components if "/" not in each]
    if not kinds:
        return "Changes nothing: no component is listed"
    shown = ["orchestrations" if each == ORCHESTRATOR else f"configurations of {each}" for each in kinds]
    return f"Changes {named(shown, most)}"


def _publishes(buckets: Sequence[str], most: int) -> str:
    where = "any bucket" if ALL_BUCKETS in buckets else named(buckets, most)
    return f"Says when tables of {where} were updated"


def named(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """`a, b and 4 more`; all of them if they are few."""
    shown = list(names[:most]) if len(names) > most + 1 else list(names)
    if len(shown) < len(names):
        return f"{', '.join(shown)} and {len(names) - len(shown)} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
