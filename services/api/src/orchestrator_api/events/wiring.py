"""Creates and connects the parts of live events; its loops read nothing while no stream is open."""

import time
from collections.abc import Collection

from orchestrator_api.access import standing
from orchestrator_api.access.browser_sessions import BrowserSessions
from orchestrator_api.events.changes import Changes
from orchestrator_api.events.feed import Feed
from orchestrator_api.events.logs import EVERY_SECONDS, Logs
from orchestrator_api.events.service import Streams
from orchestrator_api.events.streams import OpenStreams
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.clock import SystemClock
from orchestrator_shared.contracts.routing import API_FEED
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.runtime.periodic import repeat
from orchestrator_shared.runtime.skeleton import Skeleton


def open_streams(settings: ApiSettings, skeleton: Skeleton, browsers: BrowserSessions) -> Streams:
    """The streams of this replica; they end as soon as the service is to stop."""
    stopping, clock = skeleton.lifecycle.stopping, SystemClock()

    async def still_good(bearings: Collection[standing.Bearing]) -> set[standing.Bearing]:
        async with skeleton.connections() as connection:
            return await standing.still_good(connection, browsers, bearings, clock.now())

    streams = OpenStreams(
        most=settings.streams_max,
        most_per_token=settings.streams_max_per_token,
        still_good=still_good,
        clock=time.monotonic,
    )
    changes = Changes(
        skeleton.connections,
        is_fed=lambda: consumer.consuming,
        poll_seconds=settings.streams_poll_seconds,
        clock=time.monotonic,
    )
    logs = Logs(skeleton.connections)
    consumer = Consumer.batches(skeleton.broker, API_FEED, changes.hear, handles=API_FEED.messages)
    skeleton.run("stream-feed", Feed(consumer, changes.watched).run(stopping))
    reading = repeat(
        changes.once,
        name="stream-changes",
        every=settings.streams_poll_seconds,
        stopping=stopping,
        woken=changes.woken,
    )
    skeleton.run("stream-changes", reading)
    following = repeat(
        logs.once, name="stream-logs", every=EVERY_SECONDS, stopping=stopping, woken=logs.hungry
    )
    skeleton.run("stream-logs", following)
    skeleton.repeat("stream-tokens", streams.check, every=settings.streams_check_seconds)
    skeleton.run("stream-ends", streams.close_at(stopping))
    return Streams(streams, changes, logs)
