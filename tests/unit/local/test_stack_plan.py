"""What each process of a local stack is told."""

import json
from pathlib import Path

import pytest

from orchestrator_cli.failures import BadInput
from orchestrator_local.stack.child import pause_before_restart
from orchestrator_local.stack.keys import Keys, load_or_make
from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.plan import Servers, plans, process_names, with_database, with_user

SERVERS = Servers("postgresql://owner:pw@127.0.0.1:5000/orchestrator", "amqp://u:p@h/", "postgresql://w@h/wh")


def environments(tmp_path: Path) -> tuple[Keys, dict[str, dict[str, str]]]:
    keys = Keys()
    ports = {name: 20_000 + number for number, name in enumerate(process_names(2))}
    made = plans(Layout.at(tmp_path), keys, SERVERS, ports, role_prefix="t_")
    return keys, {plan.name: dict(plan.environment) for plan in made}


def test_every_service_has_its_own_role_and_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_DATABASE_URL", "postgresql://somebody-elses")
    monkeypatch.setenv("PGHOST", "elsewhere")
    keys, found = environments(tmp_path)
    assert list(found) == [
        "mail-sink",
        "api",
        "scheduler",
        "trigger-watcher",
        "notifier",
        "runner",
        "runner-2",
    ]
    urls = {name: each["ORCHESTRATOR_DATABASE_URL"] for name, each in found.items() if name != "mail-sink"}
    assert urls["trigger-watcher"].startswith("postgresql://t_trigger_watcher:")
    assert keys.service_passwords["trigger_watcher"] in urls["trigger-watcher"]
    assert urls["runner"] == urls["runner-2"]
    assert len(set(urls.values())) == 5
    ports = [each["ORCHESTRATOR_HTTP_PORT"] for name, each in found.items() if name != "mail-sink"]
    assert len(set(ports)) == 6
    assert not any("PGHOST" in each for each in found.values())
    assert "ORCHESTRATOR_DATABASE_URL" not in found["mail-sink"]


def test_secrets_go_only_where_they_are_needed(tmp_path: Path) -> None:
    keys, found = environments(tmp_path)
    holders = [name for name, each in found.items() if keys.admin_token in each.values()]
    assert holders == ["api"]
    # Issue 8, 9: scheduler, trigger-watcher and notifier had the key, too.
    holders = [name for name, each in found.items() if keys.encryption_key in each.values()]
    assert holders == ["api", "runner", "runner-2"]
    holders = [name for name, each in found.items() if keys.link_key in each.values()]
    assert holders == ["api", "notifier"]
    assert found["runner"]["ORCHESTRATOR_WORK_DIR"] != found["runner-2"]["ORCHESTRATOR_WORK_DIR"]
    assert ["echo"] in json.loads(found["runner"]["ORCHESTRATOR_ALLOWED_COMMANDS"])
    assert not any(keys.warehouse_password in value for each in found.values() for value in each.values())


def test_urls_are_quoted() -> None:
    assert with_user("postgresql://a:b@h:1/d", "r@le", "p/w") == "postgresql://r%40le:p%2Fw@h:1/d"
    assert with_database("postgresql://a:b@h:1/d", "x y") == "postgresql://a:b@h:1/x%20y"


def test_keys_are_made_once_and_kept_for_their_owner(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    made = load_or_make(file)
    assert load_or_make(file) == made
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(made.admin_token) >= 32
    assert made.admin_token not in repr(made)
    file.write_text(json.dumps({"encryption_key": "from an older version"}))
    completed = load_or_make(file)
    assert completed.encryption_key == "from an older version"
    assert load_or_make(file) == completed, "the keys that were added are kept, too"
    file.write_text("{")
    with pytest.raises(BadInput, match=r"keys\.json"):
        load_or_make(file)


def test_pauses_grow_to_a_limit() -> None:
    assert [pause_before_restart(number) for number in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause_before_restart(10_000) == 30
