"""What an encrypted value is for: it can be decrypted for nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where in a project a secret belongs. `name` is authenticated with the value and readable beside it."""

    project: str
    name: str
    """`parameter/csv-source/orders`, `variable/password`; ids contain no slash, so none is ambiguous."""

    @property
    def purpose(self) -> str:
        """What it is for, as messages say it: ` for the variable password`."""
        kind, _, rest = self.name.partition("/")
        return f" for {_WORDS.get(kind, kind)} {rest}" if self.name else ""


_WORDS = {
    "parameter": "the configuration",
    "state": "the state of the configuration",
    "run": "a run of the configuration",
    "variable": "the variable",
}


def of_parameters(project: str, component: str, configuration: str) -> SecretPlace:
    """Parameters with which this configuration runs, whether its own, a task's or those of one run."""
    return SecretPlace(project, f"parameter/{component}/{configuration}")


def of_state(project: str, component: str, configuration: str) -> SecretPlace:
    """What a component keeps for its next run."""
    return SecretPlace(project, f"state/{component}/{configuration}")


def of_run_elsewhere(project: str, component: str, configuration: str) -> SecretPlace:
    """How to find a run that another service carries out."""
    return SecretPlace(project, f"run/{component}/{configuration}")


def of_variable(project: str, name: str) -> SecretPlace:
    """A project variable."""
    return SecretPlace(project, f"variable/{name}")
