"""Old facts are forgotten with their deliveries, except what is still to be sent."""

import asyncpg
from tests.support.databases import Database

from orchestrator_notifier.wiring import retention

OLD_FACTS = """
INSERT INTO notifications.facts (key, project, orchestration, event, made_at)
SELECT 'old:' || n, 'demo', 'campaigns', 'error', clock_timestamp() - interval '91 days'
FROM generate_series(1, $1) n
UNION ALL
SELECT 'young', 'demo', 'campaigns', 'error', clock_timestamp() - interval '89 days'
"""
DELIVERIES = """
INSERT INTO notifications.deliveries (id, fact_key, project, orchestration, event, channel, recipient, reason,
                                      status, sent_at, message_id)
SELECT gen_random_uuid(), key, 'demo', 'campaigns', 'error', 'email', 'a@example.com', 'subscription', status,
       CASE status WHEN 'sent' THEN clock_timestamp() END, '<x@example.com>'
FROM (VALUES ('old:1', 'sent'), ('old:2', 'pending'), ('old:3', 'failed'), ('young', 'sent'))
     AS d (key, status)
"""


async def test_old_facts_are_forgotten_in_batches(database: Database) -> None:
    await database.execute(OLD_FACTS, 1200)
    await database.execute(DELIVERIES)
    async with asyncpg.create_pool(database.url_for("notifier"), min_size=1, max_size=2) as pool:
        assert await retention(pool, days=90).once() == {"forget": 1199}

    left = await database.fetch("SELECT key FROM notifications.facts ORDER BY key")
    assert [row["key"] for row in left] == ["old:2", "young"]
    assert await database.fetchval("SELECT count(*) FROM notifications.deliveries") == 2
