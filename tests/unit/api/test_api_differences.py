"""What differs between two versions: by path, tasks by id, secrets masked."""

from typing import Any

from orchestrator_api.catalog.differences import MAX_CHANGES, Difference, compare_parameters, compare_phases
from orchestrator_shared.secret_places import of_parameters
from orchestrator_shared.security import Encryption

PLACE = of_parameters("demo", "csv-source", "orders")
ENCRYPTION = Encryption([bytes(range(32))])


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    return compare_parameters(before, after).changes


def test_equal_versions_have_no_differences() -> None:
    same = {"a": [1, {"b": None}], "c": True}
    assert changes(same, same) == []


def test_keys_that_were_added_removed_or_changed() -> None:
    before, after = {"a": 1, "b": {"c": 1}, "d": True}, {"b": {"c": 2}, "d": 1, "e": [1]}
    assert changes(before, after) == [
        Difference("parameters.a", "removed", before=1),
        Difference("parameters.b.c", "changed", 1, 2),
        Difference("parameters.d", "changed", True, 1),
        Difference("parameters.e", "added", after=[1]),
    ]


def test_the_order_of_keys() -> None:
    assert changes({"a": 1, "b": 2}, {"b": 2, "a": 1}) == [
        Difference("parameters", "reordered", ["a", "b"], ["b", "a"])
    ]


def test_one_more_element_is_one_difference() -> None:
    assert changes({"l": ["a", "b", "d"]}, {"l": ["a", "b", "c", "d"]}) == [
        Difference("parameters.l.2", "added", after="c")
    ]
    assert changes({"l": [{"n": 1}, {"n": 2}, {"n": 3}]}, {"l": [{"n": 1}, {"n": 3}]}) == [
        Difference("parameters.l.1", "removed", before={"n": 2})
    ]
    assert changes({"l": [1, 1]}, {"l": [1]}) == [Difference("parameters.l.1", "removed", before=1)]


def test_secrets_are_compared_and_never_shown() -> None:
    sealed = ENCRYPTION.encrypt_secrets({"#p": "swordfish", "#q": "x", "#r": None}, PLACE)
    entered_again = ENCRYPTION.encrypt_secrets({"#p": "marlin", "#q": "x", "#r": "new"}, PLACE)
    after = {**entered_again, "#q": sealed["#q"], "new": {"#s": entered_again["#p"]}}
    assert changes(sealed, after) == [
        Difference("parameters.#p", "changed", "***", "***", secret=True),
        Difference("parameters.#r", "changed", None, "***", secret=True),
        Difference("parameters.new", "added", after={"#s": "***"}),
    ]


def test_references_to_variables_are_compared_and_shown() -> None:
    before = {"#p": "{{ vars.p }}", "#q": "{{ vars.q }}", "#r": "{{ vars.r }}"}
    after = {**before, "#p": "{{ vars.other }}", **ENCRYPTION.encrypt_secrets({"#q": "swordfish"}, PLACE)}
    assert compare_parameters(before, after).changes == [
        Difference("parameters.#p", "changed", "{{ vars.p }}", "{{ vars.other }}"),
        Difference("parameters.#q", "changed", "{{ vars.q }}", "***", secret=True),
    ]


def test_a_new_key_for_encryption_changes_no_secret() -> None:
    sealed = ENCRYPTION.encrypt_secrets({"l": [{"#p": "swordfish"}, {"#p": "marlin"}]}, PLACE)
    renewed = Encryption([bytes(32), bytes(range(32))]).encrypt_secrets(sealed, PLACE)
    assert renewed != sealed
    assert changes(sealed, renewed) == []


def test_no_more_changes_than_a_person_reads() -> None:
    found = compare_parameters({}, {str(n): n for n in range(MAX_CHANGES + 1)})
    assert (len(found.changes), found.truncated) == (MAX_CHANGES, True)
    assert not compare_parameters({}, {str(n): n for n in range(MAX_CHANGES)}).truncated


def phase(name: str, *tasks: str, **settings: Any) -> dict[str, Any]:
    return {"name": name, "tasks": [{"id": task, "attempts": 1, **settings} for task in tasks]}


def test_tasks_are_found_by_id_wherever_they_stand() -> None:
    before = {"phases": [phase("Extract", "a", "b", "c"), phase("Write", "d")]}
    after = {"phases": [phase("Extract", "c", "b", attempts=1), phase("Load", "a", attempts=3)]}
    assert compare_phases(before, after).changes == [
        Difference("phases", "changed", ["Extract", "Write"], ["Extract", "Load"]),
        Difference("tasks.a.phase", "changed", "Extract", "Load"),
        Difference("tasks.a.attempts", "changed", 1, 3),
        Difference("tasks.d", "removed", before={"phase": "Write", "attempts": 1}),
    ]


def test_phases_of_the_same_name_are_told_apart() -> None:
    before, after = (
        {"phases": [phase("P", "a"), phase("P", "b")]},
        {"phases": [phase("P"), phase("P", "a", "b")]},
    )
    assert compare_phases(before, after).changes == [
        Difference("tasks.a.phase", "changed", "P (#1)", "P (#2)")
    ]


def test_a_definition_without_phases() -> None:
    found = compare_phases({}, {"phases": [phase("P", "a")]}).changes
    assert [each.path for each in found] == ["phases", "tasks.a"]
