"""Strings and integers on the command line, parsed without pydantic, which costs as much as Typer."""

from dataclasses import dataclass
from typing import Any

import typer
from typer._coercion import RuntimeParam, TypeDescriptor, build_runtime_param


@dataclass(frozen=True)
class PlainParameter(RuntimeParam):
    """Accepts plainly valid values; leaves the rest, and all error texts, to Typer."""

    descriptor: TypeDescriptor

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        if self.annotation is str and type(value) is str:
            return value
        if self.annotation == list[str] and _are_strings(value):
            return list(value)
        number = _whole_number(value) if self.annotation is int else None
        if number is not None and self._is_in_range(number):
            return number
        return build_runtime_param(self.descriptor).coerce(value, param=param, ctx=ctx)

    def _is_in_range(self, number: int) -> bool:
        least, most = self.parameter_info.min, self.parameter_info.max
        return (least is None or least <= number) and (most is None or number <= most)


def _are_strings(value: object) -> bool:
    return isinstance(value, tuple | list) and bool(value) and all(type(each) is str for each in value)


def _whole_number(value: object) -> int | None:
    if type(value) is int:
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else None


def read_plainly(command: Any) -> None:
    """For a command and its subcommands. Typer has no public hook for this; its version is pinned."""
    for below in getattr(command, "commands", {}).values():
        read_plainly(below)
    for parameter in command.get_params(typer.Context(command)):  # with --help
        descriptor = getattr(parameter, "type_descriptor", None)
        if descriptor is not None and descriptor.parameter_info.parser is None:
            parameter._runtime_param = PlainParameter(
                parameter_info=descriptor.parameter_info,
                annotation=descriptor.annotation,
                descriptor=descriptor,
            )
