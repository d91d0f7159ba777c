"""Issue 8.12: a mask stands for one secret, wherever an editor moves what it lies in."""

import os
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_shared.sealed_values import check_sealed
from orchestrator_shared.secret_handles import handles_of, mask_for_editing, restore_masked
from orchestrator_shared.secret_places import of_parameters
from orchestrator_shared.security import Encryption, is_mask, mask_secrets, secret_handle

PLACE = of_parameters("demo", "csv-source", "orders")
OLD, NEW = os.urandom(32), os.urandom(32)
ENCRYPTION = Encryption([NEW])
HOSTS = [{"host": "a", "#password": "of a"}, {"host": "b", "#password": "of b"}]


def stored_of(value: Any) -> Any:
    return ENCRYPTION.encrypt_secrets(value, PLACE)


def saved(new: Any, stored: Any) -> Any:
    """What a save of `new` over `stored` makes, in the clear."""
    return ENCRYPTION.decrypt_secrets(restore_masked(new, stored, handles_of(stored)), PLACE)


def test_removing_the_first_of_two_leaves_the_second_its_own_password() -> None:
    stored = stored_of({"hosts": HOSTS})
    shown = mask_for_editing(stored)
    assert saved({"hosts": shown["hosts"][1:]}, stored) == {"hosts": HOSTS[1:]}
    assert saved({"hosts": shown["hosts"][::-1]}, stored) == {"hosts": HOSTS[::-1]}


def test_a_mask_without_handle_is_taken_only_where_the_list_is_as_it_was() -> None:
    stored = stored_of({"hosts": HOSTS, "deep": {"#key": "x"}})
    bare = mask_secrets(stored)
    assert saved({**bare, "new": 1}, stored) == {"hosts": HOSTS, "deep": {"#key": "x"}, "new": 1}
    handle = mask_for_editing(stored)["hosts"][1]["#password"]
    for hosts in (
        bare["hosts"][1:],
        bare["hosts"][::-1],
        [*bare["hosts"], {"host": "c"}],
        [{**bare["hosts"][0], "host": "c"}, bare["hosts"][1]],
        [{"host": "a", "#password": handle}, bare["hosts"][1]],
    ):
        left = saved({"hosts": hosts}, stored)["hosts"]
        assert [host["#password"] for host in left if host.get("#password") == "***"]


def test_a_handle_reveals_nothing_and_lasts_until_the_secret_is_replaced() -> None:
    first, again = (secret_handle(ENCRYPTION.encrypt_value("same", PLACE)) for _ in range(2))
    assert is_mask(first)
    assert first != again  # equal secrets cannot be told from it
    old = Encryption([OLD]).encrypt_secrets({"#p": "x"}, PLACE)
    renewed = Encryption([NEW, OLD]).encrypt_secrets(old, PLACE)
    assert renewed != old
    assert secret_handle(renewed["#p"]) == secret_handle(old["#p"])
    assert Encryption([NEW]).decrypt_secrets(renewed, PLACE) == {"#p": "x"}


def test_a_reference_to_a_variable_is_no_secret() -> None:
    plain = {"#a": "{{ vars.a }}", "hosts": [{"#b": "{{vars.b_2}}"}], "#c": {"d": "{{ vars.a }}"}}
    stored = stored_of(plain)
    assert (stored["#a"], stored["hosts"]) == (plain["#a"], plain["hosts"])
    assert mask_for_editing(stored) == mask_secrets(stored) == {**plain, "#c": "***"}
    assert saved({**plain, "#a": "***", "#c": "***"}, stored) == plain  # as earlier releases have exported it
    check_sealed(stored)
    for secret in (
        "x{{ vars.a }}",
        "{{ vars.a }}{{ vars.b }}",
        "{{ scheduled_for }}",
        "{{ vars.A }}",
        "vars.a",
    ):
        assert mask_secrets({"#a": secret}) == {"#a": "***"}
        assert stored_of({"#a": secret})["#a"] != secret


def test_an_encrypted_reference_of_an_earlier_release_can_be_read() -> None:
    sealed = {
        "#a": ENCRYPTION.encrypt_value("{{ vars.a }}", PLACE),
        "list": [{"#b": ENCRYPTION.encrypt_value("secret", PLACE)}],
        "#other": Encryption([OLD]).encrypt_value("{{ vars.a }}", PLACE),
    }
    assert ENCRYPTION.read_references(sealed, PLACE.project) == {**sealed, "#a": "{{ vars.a }}"}
    assert mask_for_editing(sealed)["#a"] == "***"


def test_a_handle_of_nothing_that_is_stored_is_left() -> None:
    stored, foreign = stored_of({"hosts": HOSTS}), mask_for_editing(stored_of({"hosts": HOSTS}))
    assert restore_masked(foreign, stored, handles_of(stored)) == foreign


# Every secret and every object has a name of its own, so that it is known again after all was moved.
_NAMES = st.sampled_from(["a", "b", "#s", "#t"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=25,
)


def numbered(value: Any, counter: Iterator[int]) -> Any:
    if isinstance(value, dict):
        return {
            key: f"secret {next(counter)}"
            if key.startswith("#") and item is not None
            else numbered(item, counter)
            for key, item in value.items()
        }
    return [numbered(item, counter) for item in value] if isinstance(value, list) else value


def edited(plain: Any, shown: Any, data: st.DataObject) -> tuple[Any, Any]:
    """The same permutation and removals in every list and object of both."""
    if isinstance(plain, list):
        order = data.draw(st.permutations(range(len(plain))))
        kept = order[: data.draw(st.integers(0, len(plain)))]
        pairs = [edited(plain[index], shown[index], data) for index in kept]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if isinstance(plain, dict):
        keys = [key for key in plain if data.draw(st.booleans())]
        made = {key: edited(plain[key], shown[key], data) for key in keys}
        return {key: made[key][0] for key in keys}, {key: made[key][1] for key in keys}
    return plain, shown


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_secret_that_survives_an_edit_is_its_own(data: st.DataObject) -> None:
    plain = numbered(data.draw(st.dictionaries(_NAMES, DOCUMENTS, max_size=4)), iter(range(10_000)))
    stored = stored_of(plain)
    shown = mask_for_editing(stored)
    assert "secret" not in str(shown)
    assert saved(shown, stored) == plain
    wanted, new = edited(plain, shown, data)
    restored = restore_masked(new, stored, handles_of(stored))
    assert ENCRYPTION.decrypt_secrets(restored, PLACE) == wanted
    # What people still have in files goes on standing for it after the save.
    again = ENCRYPTION.encrypt_secrets(restored, PLACE)
    assert mask_for_editing(again) == new
