"""The benchmark counts the engine's statements by their names, which it finds from the texts in the log."""

from tests.benchmarks.counting import known_statements

from orchestrator_runner.queue.claim_store import ClaimStore


def test_a_statement_is_known_by_the_text_that_the_server_is_given() -> None:
    text = " ".join(ClaimStore.queries["finish_jobs"].split())
    assert known_statements()[text] == "finish_jobs"
