"""Turns a message body into a delivery that a handler can trust; the input is hostile."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator_shared.contracts.envelope import Envelope, parse_envelope, parse_message
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.domain.errors import MessageFault


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as a handler gets it, possibly more than once."""

    message: Message
    envelope: Envelope
    routing_key: str
    redelivered: bool


def decode(
    body: bytes, *, routing_key: str, redelivered: bool, known: Mapping[str, type[Message]]
) -> Delivery:
    """Read and check a message; raises MessageFault with the reason."""
    envelope = parse_envelope(body)
    model = known.get(envelope.type)
    if model is None:
        raise MessageFault(_unknown_type(envelope.type, known))
    message = parse_message(model, envelope)
    if message.routing_key() != routing_key:
        raise MessageFault(
            f"routing key {routing_key[:255]!r} does not match the body; expected {message.routing_key()!r}"
        )
    return Delivery(message=message, envelope=envelope, routing_key=routing_key, redelivered=redelivered)


def _unknown_type(type_: str, known: Mapping[str, type[Message]]) -> str:
    stem, _, version = type_.rpartition(".")
    versions = sorted(name.rpartition(".")[2] for name in known if name.rpartition(".")[0] == stem)
    if versions:
        return f"unknown version {version!r} of {stem}: this service reads {', '.join(versions)}"
    return f"unknown type {type_!r}: this queue takes {', '.join(sorted(known))}"
