"""What the forms about orchestrations are read as."""

from orchestrator_api.web.orchestrations.editing import labels_of
from orchestrator_api.web.orchestrations.importing import read


def test_labels_are_separated_by_commas() -> None:
    assert labels_of(" marketing, flights demo ,, marketing") == ["marketing", "flights demo"]
    assert labels_of("") == []


def test_a_text_is_read_as_documents_or_as_what_is_wrong_with_it() -> None:
    found = read("orchestration: a\n---\nconfiguration: x/y\nparameters: {}\n")
    assert (found.documents, found.problems) == (
        [{"orchestration": "a"}, {"configuration": "x/y", "parameters": {}}],
        [],
    )
    wrong = read("orchestration: a\nphases: {}\n---\nconfiguraton: x/y\n")
    assert wrong.documents == []
    assert wrong.problems[0].startswith("2:")
    assert "configuration" in wrong.problems[1]
    assert read("").problems == ["there is no definition in this text"]
