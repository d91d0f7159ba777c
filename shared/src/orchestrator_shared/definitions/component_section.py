"""What the sections of a component's document have in common, one for each executor."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from orchestrator_shared.definitions.bounded import Bounded
from orchestrator_shared.domain.durations import parse_duration
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.images import PATTERN, parse_image


def _seconds(value: object) -> int:
    try:
        return parse_duration(value)
    except UserError as error:
        raise ValueError(error.detail) from error


def _image(text: str) -> str:
    parse_image(text)
    return text


Seconds = Annotated[int, BeforeValidator(_seconds)]
PinnedImage = Annotated[
    str, Field(max_length=512, json_schema_extra={"pattern": PATTERN}), AfterValidator(_image)
]
"""`repository@sha256:…`."""


class ComponentSection(Bounded):
    """Knows its keys as people write them, and as they are stored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _stored_reads_as_written(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        aliases = {name: field.validation_alias or name for name, field in cls.model_fields.items()}
        return {aliases.get(key, key): value for key, value in data.items()}
