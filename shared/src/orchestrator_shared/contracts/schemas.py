"""Generates JSON Schemas of all messages and of the YAML documents, and an AsyncAPI document.

`python -m orchestrator_shared.contracts.schemas` writes them into the repository's docs/contracts, or the
folder given; with `--check` it writes nothing and fails if they are stale.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from orchestrator_shared.contracts.envelope import CONTENT_TYPE, MAX_BYTES, Envelope
from orchestrator_shared.contracts.message import COMMANDS, EVENTS, TABLE_UPDATES, Message
from orchestrator_shared.contracts.routing import MESSAGES, QUEUES, Queue
from orchestrator_shared.definitions.json_schema import SCHEMA_FILE, definitions_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parents[4] / "docs" / "contracts"
EXCHANGES = {TABLE_UPDATES: "topic", COMMANDS: "direct", EVENTS: "topic"}
ASYNCAPI = "asyncapi.yaml"
Json = dict[str, Any]


def documents() -> dict[str, str]:
    """Every generated file: its name and its text."""
    schemas = {schema_file(model): _json(event_schema(model)) for model in MESSAGES.values()}
    written = _json(definitions_schema(FOLDER.parent / "reference"))
    return {**schemas, SCHEMA_FILE: written, ASYNCAPI: _yaml(asyncapi())}


def schema_file(model: type[Message]) -> str:
    """The file that describes a message."""
    return f"{model.type}.schema.json"


def event_schema(model: type[Message]) -> Json:
    """The whole CloudEvent around a message, as found in a message body."""
    envelope = Envelope.model_json_schema()
    data = model.model_json_schema()
    definitions = data.pop("$defs", {})
    properties = {name: _plain(schema) for name, schema in envelope["properties"].items()}
    schema: Json = {
        "$schema": DIALECT,
        "title": model.__name__,
        "description": _description(model),
        "type": "object",
        "required": envelope["required"],
        "properties": {**properties, "type": {"const": model.type}, "data": data},
    }
    return {**schema, "$defs": definitions} if definitions else schema


def asyncapi() -> Json:
    """The AsyncAPI 3.0 document: a channel for each message, an operation for each queue that receives it."""
    models = MESSAGES.values()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Orchestrator messages",
            "version": "1",
            "description": (
                "CloudEvents 1.0 in structured JSON mode over RabbitMQ. The version of a message is the last "
                f"part of its type; unknown fields are ignored. A body has at most {MAX_BYTES} bytes. "
                "Messages may come more than once."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {_channel_name(model): _channel(model) for model in models},
        "operations": {
            f"{queue.name.replace('.', '-')}-{_channel_name(model)}": _operation(queue, model)
            for queue in QUEUES
            for model in queue.messages
        },
        "components": {"messages": {_channel_name(model): _message(model) for model in models}},
    }


def _channel_name(model: type[Message]) -> str:
    return model.__name__[0].lower() + model.__name__[1:]


def _channel(model: type[Message]) -> Json:
    name = _channel_name(model)
    address = {"address": model.key}
    if model.exchange == TABLE_UPDATES:
        address = {"address": "table.updated.{project}.{table}"}
    channel: Json = {
        **address,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": model.exchange, "type": EXCHANGES[model.exchange], "durable": True},
                "bindingVersion": "0.3.0",
            }
        },
    }
    if model.exchange == TABLE_UPDATES:
        channel["parameters"] = {
            "project": {"description": "The project, as in the body."},
            "table": {"description": "The table as bucket.table, as in the body."},
        }
    return channel


def _operation(queue: Queue, model: type[Message]) -> Json:
    name = _channel_name(model)
    kind = "an exclusive queue for each replica" if queue.feed else f"the quorum queue {queue.name}"
    return {
        "action": "receive",
        "summary": f"{queue.name.partition('.')[0]} receives it through {kind}.",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        "bindings": {"amqp": {"ack": True, "bindingVersion": "0.3.0"}},
    }


def _message(model: type[Message]) -> Json:
    return {
        "name": model.type,
        "title": model.__name__,
        "summary": _description(model),
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"./{schema_file(model)}"},
        "x-persistent": model.persistent,
    }


def _description(model: type[Message]) -> str:
    return " ".join((model.__doc__ or "").split())


def _plain(schema: Mapping[str, Any]) -> Json:
    return {key: value for key, value in schema.items() if key != "title"}


def _json(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _yaml(document: Json) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def stale(folder: Path) -> list[str]:
    """The names of files that are missing, differ, or describe messages that no longer exist."""
    expected = documents()
    present = {path.name for path in folder.glob("*.schema.json")}
    differing = [name for name, text in expected.items() if _read(folder / name) != text]
    return sorted({*differing, *(present - expected.keys())})


def write(folder: Path) -> None:
    """Update the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale(folder):
        (folder / name).unlink(missing_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator_shared.contracts.schemas", description=__doc__
    )
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.folder)
        return 0
    names = stale(options.folder)
    for name in names:
        sys.stderr.write(f"stale: {options.folder / name}\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
