"""Secrets (#keys) in what people send: `***` stands for the value that is stored."""

from typing import Any

from orchestrator_shared.security import MASK


def masked_paths(value: Any, prefix: str) -> list[str]:
    """Where a `***` is left under a #key although nothing is stored that it could stand for."""
    if isinstance(value, dict):
        found = [f"{prefix}.{key}" for key, item in value.items() if key.startswith("#") and item == MASK]
        deeper = [path for key, item in value.items() for path in masked_paths(item, f"{prefix}.{key}")]
        return found + deeper
    if isinstance(value, list):
        return [path for i, item in enumerate(value) for path in masked_paths(item, f"{prefix}.{i}")]
    return []
