"""The only place where the API's parts are created and connected."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from orchestrator_api.access.administrator import ensure_administrator
from orchestrator_api.access.attempts import TokenAttempts
from orchestrator_api.access.browser_sessions import BrowserSessions
from orchestrator_api.access.token_guard import TokenGuard
from orchestrator_api.app import create_app
from orchestrator_api.events.wiring import open_streams
from orchestrator_api.http.offload import Offload
from orchestrator_api.http.prefix import prefix_of
from orchestrator_api.http.rate_limits import RateLimits
from orchestrator_api.http.session import Sessions
from orchestrator_api.http.turns import Turns
from orchestrator_api.operations import dead_letters as dead_letter_box
from orchestrator_api.people.accounts import warn_of_no_administrator
from orchestrator_api.people.sign_in import SignIns
from orchestrator_api.people.sign_in_settings import provider_of
from orchestrator_api.projects.dotted_ids import warn_of_dotted_ids
from orchestrator_api.settings import ApiSettings
from orchestrator_api.web import addresses
from orchestrator_shared.clock import SystemClock
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.retention import Retention
from orchestrator_shared.job_tokens import job_token_keys
from orchestrator_shared.messaging.dead_letters import DeadLetters
from orchestrator_shared.runtime.addresses import TrustedProxies
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.skeleton import open_skeleton
from orchestrator_shared.security import Encryption

RETENTION_QUERIES = Queries.load(
    "orchestrator_api",
    "runs/store.sql",
    "drafts/store.sql",
    "access/audit_store.sql",
    "access/retention.sql",
    "schedules/retention.sql",
    "triggers/retention.sql",
    "access/keyed_store.sql",
    "operations/store.sql",
    "people/store.sql",
)
RETENTION_SECONDS = 3600.0
SWITCH_SECONDS = 0.0005
"""How soon a thread lets the event loop run. A page waits for that at each statement; Python says 5 ms."""
RETENTION_BATCH = 1000


def retention_plan(settings: ApiSettings) -> dict[str, dict[str, object]]:
    """What is not kept forever; queries without `days` state how long they keep it."""
    return {
        "forget_run_requests": {},
        "forget_keyed_updates": {},
        "forget_keyed_answers": {},
        "forget_audit": {"days": settings.audit_retention_days},
        "forget_callbacks": {},
        "forget_sessions": {},
        "forget_sign_in_attempts": {},
        "forget_person_links": {"days": settings.retention_days},
        "forget_drafts": {"days": settings.retention_days},
        "forget_schedules": {"days": settings.retention_days},
        "forget_triggers": {"days": settings.retention_days},
        "forget_tokens": {"days": settings.retention_days},
    }


@asynccontextmanager
async def start(settings: ApiSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Open everything and serve; on exit, close everything in order."""
    sys.setswitchinterval(SWITCH_SECONDS)
    async with open_skeleton(settings, lifecycle) as skeleton:
        outbox = skeleton.outbox("catalog")
        if settings.admin_email and settings.admin_token:
            await ensure_administrator(outbox, settings.admin_email, settings.admin_token)
        await warn_of_no_administrator(outbox, settings)
        await warn_of_dotted_ids(outbox)
        retention = Retention(
            skeleton.connections, RETENTION_QUERIES, retention_plan(settings), batch=RETENTION_BATCH
        )
        skeleton.repeat("retention", retention.once, every=RETENTION_SECONDS)
        encryption = Encryption(settings.encryption_keys, form=settings.secret_form)
        sessions = Sessions(
            units_of_work=outbox,
            encryption=encryption,
            clock=SystemClock(),
            offload=Offload(),
            guard=TokenGuard(
                TokenAttempts(settings.wrong_tokens_per_minute),
                TrustedProxies(settings.http_trusted_proxies),
                job_token_keys(settings.encryption_keys),
                BrowserSessions(
                    settings.public_url, settings.session_idle_seconds, settings.session_lifetime_seconds
                ),
            ),
            turns=Turns(settings.database_pool_max, max_wait=settings.database_acquire_timeout_seconds),
            limits=RateLimits(settings.requests_per_second, settings.requests_burst),
        )
        streams = open_streams(settings, skeleton, sessions.guard.browsers)
        sign_ins = SignIns(
            sessions,
            TokenAttempts(settings.wrong_tokens_per_minute),
            settings.link_key,
            provider=provider_of(settings),
            allows_passwords=settings.password_sign_in,
        )
        dead_letters = DeadLetters(skeleton.broker.consuming, skeleton.broker.publisher)
        skeleton.repeat(
            "dead-letters", partial(dead_letter_box.measure, dead_letters), every=settings.measure_seconds
        )
        app = create_app(sessions, dead_letters, streams, sign_ins)
        addresses.install(
            app,
            is_https=sessions.guard.browsers.is_https,
            link_keys=settings.link_key,
            prefix=prefix_of(settings.public_url),
            log_days=settings.log_retention_days,
        )
        async with lifecycle.serving(app):
            yield
