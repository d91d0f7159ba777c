"""Masks stored secrets as `***` in what people edit, in lists with a handle, and restores them.

A key of an object says which secret a `***` under it stands for. A place in a list does not: the elements
before it may be gone or moved. There the mask carries a handle of the one secret, made from the random
nonce it is encrypted with: it reveals nothing about the secret, and stays the same until that is replaced.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.sealed_values import SECRET_KEY, is_secret
from orchestrator_shared.security import (
    MASK,
    MAX_DEPTH,
    Handles,
    is_mask,
    mask_secrets,
    secret_handle,
)

Reveal = Callable[[Any], Any]


def mask_for_editing(stored: Any) -> Any:
    """A copy of stored parameters whose masks can be sent back, wherever an editor moves them."""
    return _mask(stored, in_list=False, depth=0)


def _mask(value: Any, *, in_list: bool, depth: int) -> Any:
    _check_depth(depth)
    if isinstance(value, dict):
        return {
            key: (secret_handle(item) if in_list else MASK)
            if is_secret(key, item)
            else _mask(item, in_list=in_list, depth=depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_mask(item, in_list=True, depth=depth + 1) for item in value]
    return value


def handles_of(stored: Any) -> Handles:
    """Every secret in a stored value, by its handle."""
    return {secret_handle(secret): secret for secret in _secrets(stored, 0)}


def _secrets(value: Any, depth: int) -> Iterator[Any]:
    _check_depth(depth)
    if isinstance(value, dict):
        for key, item in value.items():
            if is_secret(key, item):
                yield item
            else:
                yield from _secrets(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item, depth + 1)


def restore_masked(new: Any, stored: Any, handles: Handles, reveal: Reveal = lambda sealed: sealed) -> Any:
    """A copy of `new` in which every mask that names a stored secret is that secret, as `reveal` shows it.

    A mask without a handle names the secret under the same keys. In a list it names one only while the whole
    list is as it was. Masks that name none are left for the caller to refuse.
    """
    return _restore(new, stored, _Known(handles, reveal), 0)


class _Known:
    def __init__(self, handles: Handles, reveal: Reveal) -> None:
        self._handles = handles
        self.reveal = reveal

    def secret(self, mask: str, beside: Any) -> Any:
        sealed = beside if mask == MASK else self._handles.get(mask)
        return mask if sealed is None else self.reveal(sealed)


def _restore(new: Any, stored: Any, known: _Known, depth: int) -> Any:
    _check_depth(depth)
    if isinstance(new, dict):
        before: Mapping[str, Any] = stored if isinstance(stored, dict) else {}
        return {
            key: known.secret(item, before.get(key))
            if key.startswith(SECRET_KEY) and is_mask(item)
            else _restore(item, before.get(key), known, depth + 1)
            for key, item in new.items()
        }
    if isinstance(new, list):
        # Each list is compared once: below one that differs, nothing has a place that can be trusted.
        is_as_it_was = isinstance(stored, list) and new == mask_secrets(stored)
        places = stored if is_as_it_was else [None] * len(new)
        restore = _restore_in_place if is_as_it_was else _restore
        return [restore(item, place, known, depth + 1) for item, place in zip(new, places, strict=True)]
    return new


def _restore_in_place(new: Any, stored: Any, known: _Known, depth: int) -> Any:
    """Inside a list that is as it was."""
    _check_depth(depth)
    if isinstance(new, dict):
        return {
            key: known.secret(item, stored[key])
            if key.startswith(SECRET_KEY) and is_mask(item)
            else _restore_in_place(item, stored[key], known, depth + 1)
            for key, item in new.items()
        }
    if isinstance(new, list):
        pairs = zip(new, stored, strict=True)
        return [_restore_in_place(item, place, known, depth + 1) for item, place in pairs]
    return new


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise UserError(f"nested deeper than {MAX_DEPTH} levels")
