"""The section `kubernetes` of a component's document: what its Jobs look like."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from orchestrator_shared.definitions.component_section import ComponentSection, PinnedImage, Seconds
from orchestrator_shared.definitions.orchestration import Slug
from orchestrator_shared.domain.errors import UserError

_QUANTITY = re.compile(r"\d{1,12}(\.\d{1,6})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_RESOURCE = re.compile(r"cpu|memory|ephemeral-storage|[a-z0-9.-]{1,100}/[A-Za-z0-9._-]{1,63}")
_LABEL = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_OWN_FOLDERS = frozenset({"orchestrator", "tmp", "proc", "sys", "dev", "etc", "run", "var"})
_NAME = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"


def _as_text(value: object) -> object:
    return str(value) if type(value) in (int, float) else value


def _quantity(text: str) -> str:
    if not _QUANTITY.fullmatch(text):
        raise ValueError("expected an amount such as 500m, 2 or 512Mi")
    return text


def _resource_names(amounts: dict[str, str]) -> dict[str, str]:
    for name in amounts:
        if not _RESOURCE.fullmatch(name):
            raise ValueError(f"{name[:80]!r}: expected cpu, memory, ephemeral-storage or example.com/device")
    return amounts


def _label_names(labels: dict[str, str]) -> dict[str, str]:
    for name in labels:
        if not _LABEL.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is not the name of a label")
    return labels


Amounts = Annotated[
    dict[str, Annotated[str, BeforeValidator(_as_text), AfterValidator(_quantity)]],
    Field(max_length=20),
    AfterValidator(_resource_names),
]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$")]


class KubernetesResources(ComponentSection):
    """What a task gets: at least its requests, at most its limits."""

    requests: Amounts = Field(default_factory=dict)
    limits: Amounts = Field(default_factory=dict)


class KubernetesToleration(ComponentSection):
    """A taint of nodes that does not keep the task away."""

    key: str | None = Field(default=None, min_length=1, max_length=317)
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None

    @model_validator(mode="after")
    def _fits_its_operator(self) -> Self:
        if self.operator == "Exists" and self.value is not None:
            raise ValueError("value: leave it out, because the operator Exists compares none")
        if self.operator == "Equal" and self.key is None:
            raise ValueError("key: name the taint, or write operator: Exists for all of them")
        return self


def _mount_path(text: str) -> str:
    parts = text.split("/")
    if parts[0] or len(parts) < 2 or not all(parts[1:]) or {".", ".."} & set(parts):
        raise ValueError("expected an absolute path such as /files, without .. and without a / at its end")
    if parts[1] in _OWN_FOLDERS:
        raise ValueError(f"/{parts[1]} is used by the task itself; choose another folder, such as /files")
    return text


class KubernetesVolume(ComponentSection):
    """A folder that tasks share: a PersistentVolumeClaim of the namespace in which they run."""

    claim: Annotated[str, Field(pattern=_NAME)]
    path: Annotated[str, Field(max_length=255), AfterValidator(_mount_path)]
    """Where the program finds it."""
    read_only: bool = True


def _different_paths(volumes: list[KubernetesVolume]) -> list[KubernetesVolume]:
    if len({each.path for each in volumes}) < len(volumes):
        raise ValueError("two volumes have the same path")
    return volumes


NodeSelector = Annotated[dict[str, LabelValue], Field(max_length=50), AfterValidator(_label_names)]
Tolerations = Annotated[list[KubernetesToleration], Field(max_length=50)]
ServiceAccount = Annotated[str, Field(pattern=_NAME)]


class KubernetesProfile(ComponentSection):
    """What a task may choose by name instead of what the component says; what is left out stays as that."""

    resources: KubernetesResources | None = None
    node_selector: NodeSelector | None = None
    tolerations: Tolerations | None = None
    service_account: ServiceAccount | None = None


class KubernetesComponent(ComponentSection):
    """Each attempt is a Job with one pod."""

    image: PinnedImage
    """`repository@sha256:…`; the image contains `orchestrator-task`."""
    command: list[str] = Field(default_factory=list, max_length=200)
    """What `orchestrator-task` runs; without it, the image's own entry point calls `orchestrator-task`."""
    environment: dict[str, str | None] = Field(default_factory=dict)
    """Name to value; null passes on the runner's own value."""
    resources: KubernetesResources = Field(default_factory=KubernetesResources)
    node_selector: NodeSelector = Field(default_factory=dict)
    tolerations: Tolerations = Field(default_factory=list)
    service_account: ServiceAccount | None = None
    """The namespace's default one, without its token, if it is not given."""
    profiles: Annotated[dict[Slug, KubernetesProfile], Field(max_length=50)] = Field(default_factory=dict)
    """Others of these four, by the name under which a task chooses them."""
    profile_parameter: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")] = "profile"
    """The parameter that says which one; without it, the component's own apply."""
    volumes: Annotated[list[KubernetesVolume], Field(max_length=20), AfterValidator(_different_paths)] = (
        Field(default_factory=list)
    )
    user: int | None = Field(default=None, ge=1, le=2_147_483_647)
    """The number of the user that runs the program; the image's own if it is not given."""
    start_timeout_seconds: Seconds = Field(default=600, validation_alias="start_timeout", ge=1, le=86_400)
    """How long the cluster may take to start the program."""

    def chosen_by(self, parameters: Mapping[str, Any]) -> "KubernetesComponent":
        """The section with the profile that these parameters name.

        Raises UserError if there is none of that name: whoever writes a task chooses among what an
        administrator has registered, and sets nothing of it.
        """
        name = parameters.get(self.profile_parameter) if self.profiles else None
        if name is None:
            return self
        profile = self.profiles.get(name) if isinstance(name, str) else None
        if profile is None:
            known = ", ".join(sorted(self.profiles))
            raise UserError(
                f"{str(name)[:80]!r} is not a profile of the component: choose one of {known}",
                field=f"parameters.{self.profile_parameter}",
            )
        given = {each: getattr(profile, each) for each in type(profile).model_fields}
        return self.model_copy(update={name: value for name, value in given.items() if value is not None})
