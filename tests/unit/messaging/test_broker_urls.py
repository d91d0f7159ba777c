"""What is accepted as the broker's URL, and how delays grow."""

import pytest

from orchestrator_shared.messaging.connection import Timeouts, broker_url


@pytest.mark.parametrize(
    "text", ["", "localhost", "http://u:secret@host/", "amqp:///vhost", "amqp://u:secret@/x"]
)
def test_other_urls_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(ValueError, match="ORCHESTRATOR_AMQP_URL") as caught:
        broker_url(text, Timeouts())
    assert "secret" not in str(caught.value)


def test_a_heartbeat_is_added_unless_given() -> None:
    assert broker_url("amqp://u:p@host/", Timeouts(heartbeat=7)).query["heartbeat"] == "7"
    assert broker_url("amqps://u:p@host/v?heartbeat=30", Timeouts()).query["heartbeat"] == "30"
