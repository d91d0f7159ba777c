"""Project variables; secret ones are encrypted."""

from dataclasses import replace

from orchestrator_api.access.audit import About
from orchestrator_api.catalog import configurations, variable_users
from orchestrator_api.http.edits import Target
from orchestrator_api.http.session import Session
from orchestrator_api.projects.rows import Variable
from orchestrator_api.projects.store import ProjectStore
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.errors import NotFound, UserError
from orchestrator_shared.secret_places import of_variable
from orchestrator_shared.security import MASK, is_mask


def shown(variable: Variable) -> Variable:
    """The variable as people may see it."""
    return replace(variable, value=MASK) if variable.secret else variable


async def listing(session: Session) -> list[Variable]:
    """The variables as stored, by name."""
    return await ProjectStore(session.connection).variables(project=session.project)


async def readable(session: Session) -> list[Variable]:
    """The variables that the caller may read: for a job's program, those that are not secret."""
    stored = await listing(session)
    return stored if session.actor.reads_project else [each for each in stored if not each.secret]


async def read(session: Session, name: str) -> Variable:
    """The variable, if the caller may read it; otherwise the same NotFound as if it did not exist."""
    found = await find(session, name)
    if found.secret and not session.actor.reads_project:
        raise _no_such_variable(name)
    return found


async def find(session: Session, name: str) -> Variable:
    """The variable as stored; raises NotFound if it does not exist."""
    found = await ProjectStore(session.connection).variable(project=session.project, name=name)
    if found is None:
        raise _no_such_variable(name)
    return found


def _no_such_variable(name: str) -> NotFound:
    return NotFound(f"there is no variable {name!r} in this project", field="variable")


async def target(session: Session, name: str) -> Target:
    """A variable that may not exist yet, locked to be changed."""
    store = ProjectStore(session.connection)
    if not await store.lock_variable(project=session.project, name=name):
        await configurations.lock_creations(session)
        await store.lock_variable(project=session.project, name=name)
    stored = await store.variable(project=session.project, name=name)
    return Target("this variable", "variable", name, stored.etag if stored else None)


async def save(session: Session, name: str, value: str, secret: bool) -> bool:
    """Save a variable; returns whether it is new.

    `***` keeps the stored secret; saving the same value again changes nothing.
    """
    store = ProjectStore(session.connection)
    stored = await store.variable(project=session.project, name=name)
    is_stored_secret = stored is not None and stored.secret
    if is_mask(value) and (secret or is_stored_secret):
        _check_mask(name, value, secret=secret, is_stored_secret=is_stored_secret)
        return False
    is_same = stored is not None and (_clear(session, stored), stored.secret) == (value, secret)
    if is_same and not secret:
        return False
    # Checked even if nothing changes: otherwise the answer would confirm a guessed secret.
    await variable_users.check_variable(session, name)
    if is_same:
        return False
    kept = session.encryption.encrypt_value(value, of_variable(session.project, name)) if secret else value
    await store.save_variable(project=session.project, name=name, value=kept, secret=secret)
    action = "variable.created" if stored is None else "variable.changed"
    before = _document(_clear(session, stored) or "", stored.secret) if stored else None
    await session.record(action, name, About(before, _document(value, secret)), secret=secret)
    return stored is None


def _check_mask(name: str, value: str, *, secret: bool, is_stored_secret: bool) -> None:
    if not is_stored_secret or value != MASK:
        raise UserError(
            f"{value} stands for a stored secret, but none is stored: enter the secret", field="value"
        )
    if not secret:
        raise UserError(
            f"{MASK} stands for the stored secret, which would be lost: keep the variable {name!r} secret, "
            "or enter a new value, which everyone may then read",
            field="value",
        )


def _clear(session: Session, stored: Variable) -> str | None:
    """The value; None if it is a secret that cannot be decrypted, which any new value replaces."""
    if not stored.secret:
        return stored.value
    try:
        return session.encryption.decrypt_value(stored.value, of_variable(session.project, stored.name))
    except UserError:
        return None


def _document(value: str | None, secret: bool) -> JsonObject:
    """For the audit log, which masks what is under a `#` key."""
    return {"#value" if secret else "value": value, "secret": secret}


async def delete(session: Session, name: str) -> None:
    """Delete a variable; parameters that use it fail when they run."""
    await variable_users.check_variable(session, name)
    stored = await find(session, name)
    if not await ProjectStore(session.connection).delete_variable(project=session.project, name=name):
        raise NotFound(f"there is no variable {name!r} in this project", field="variable")
    before = _document("" if stored.secret else stored.value, stored.secret)
    await session.record("variable.deleted", name, About(before))
