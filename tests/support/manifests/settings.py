"""Every service gets all settings that it requires, and none that does not exist or cannot be read."""

import os
from collections.abc import Iterator
from unittest import mock

import certifi
from pydantic_settings import BaseSettings
from tests.support.documentation import REFERENCE
from tests.support.manifests.documents import SERVICES, Manifests, label_of

from orchestrator_api.settings import ApiSettings
from orchestrator_notifier.settings import NotifierSettings
from orchestrator_runner.settings import RunnerSettings
from orchestrator_scheduler.settings import SchedulerSettings
from orchestrator_shared.settings import DatabaseSettings, SettingsError, load_settings, variable
from orchestrator_trigger_watcher.settings import TriggerWatcherSettings

MODELS: dict[str, type[BaseSettings]] = {
    "api": ApiSettings,
    "scheduler": SchedulerSettings,
    "trigger-watcher": TriggerWatcherSettings,
    "runner": RunnerSettings,
    "notifier": NotifierSettings,
    "migrate": DatabaseSettings,
}
SHARED = {
    "ORCHESTRATOR_ENCRYPTION_KEYS": {"api", "runner"},
    "ORCHESTRATOR_LINK_KEY": {"api", "notifier"},
    "ORCHESTRATOR_PUBLIC_URL": {"api", "notifier"},
}
"""Settings that must be the same in these services, and that no other service has."""
EXPORTER = "ORCHESTRATOR_DATABASE_PASSWORD_EXPORTER"
ROLES = {f"ORCHESTRATOR_DATABASE_PASSWORD_{name.upper().replace('-', '_')}" for name in SERVICES}


def check_settings(manifests: Manifests) -> Iterator[str]:
    told = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for workload in manifests.of_kind("Deployment", "Job"):
        name = workload["metadata"]["name"]
        if name not in MODELS:
            continue
        found[name] = manifests.environment(workload)
        problems = [*_names(name, manifests.variables(workload), told), *_values(name, found[name])]
        yield from (f"{label_of(workload)}: {problem}" for problem in problems)
    for setting, services in SHARED.items():
        holders = {name for name, environment in found.items() if setting in environment}
        if holders != services or len({found[name][setting] for name in holders}) != 1:
            yield f"{setting} must be the same in {' and '.join(sorted(services))}, and nowhere else"
    wanted = {*ROLES, EXPORTER} if manifests.has("Deployment", "postgres-exporter", "orchestrator") else ROLES
    if missing := wanted - found["migrate"].keys():
        yield f"Job migrate: {', '.join(sorted(missing))} is not set"


def _names(name: str, variables: dict[str, str], told: str) -> Iterator[str]:
    secrets = secrets_of(name)
    known = {variable(field) for field in MODELS[name].model_fields} | secrets
    for setting in variables:
        plain = setting.removesuffix("_FILE") if setting.removesuffix("_FILE") in secrets else setting
        if plain not in known:
            yield f"{setting} is no setting of it"
        if plain in secrets and plain == setting:
            yield f"{setting}: secrets come from files"
        if f"`{plain}`" not in told and plain not in ROLES:
            yield f"{setting} is not in settings.md"


def secrets_of(name: str) -> set[str]:
    """The settings of a service that are secret."""
    fields = MODELS[name].model_fields.items()
    return {variable(field) for field, told in fields if not told.repr} | (
        {*ROLES, EXPORTER} if name == "migrate" else set()
    )


def _values(name: str, environment: dict[str, str]) -> Iterator[str]:
    """The service itself reads them; certificates from a file, as in its pod."""
    files = {key: certifi.where() for key in environment if key.endswith("_CA_FILE")}
    with mock.patch.dict(os.environ, {**environment, **files}, clear=True):
        try:
            load_settings(MODELS[name])
        except SettingsError as error:
            yield str(error)


def check_nothing_secret(manifests: Manifests) -> Iterator[str]:
    """No Secret is rendered, and no ConfigMap holds what only a Secret should."""
    secret = {setting for name in MODELS for setting in secrets_of(name)}
    for document in manifests.documents:
        if document["kind"] == "Secret":
            yield f"{label_of(document)}: secrets do not belong into the tree"
        for setting in document.get("data", {}) if document["kind"] == "ConfigMap" else ():
            if setting in secret:
                yield f"{label_of(document)}: {setting} is a secret"
