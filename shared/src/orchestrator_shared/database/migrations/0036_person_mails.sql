-- Mails to people with links for their accounts. The link itself is nowhere: api and notifier derive it from its id.

CREATE INDEX person_links_mail_requested ON catalog.person_links (mail_requested_at) WHERE mail_requested_at IS NOT NULL;

CREATE VIEW catalog.person_mails_v1 AS
SELECT l.id AS link_id, l.person_id, p.email, p.name, l.project, r.name AS project_name, i.name AS inviter, l.purpose,
       l.expires_at, l.used_at, p.disabled_at, l.mail_requested_at AS requested_at
FROM catalog.person_links l
JOIN catalog.people p ON p.id = l.person_id
LEFT JOIN catalog.people i ON i.id = l.invited_by
LEFT JOIN catalog.projects r ON r.id = l.project
WHERE l.mail_requested_at IS NOT NULL;
COMMENT ON VIEW catalog.person_mails_v1 IS 'links that people are to get by mail, and nothing else of people';

-- A channel of its own: the version before claims mails of the channel email only, and knows neither these nor the reason.
ALTER TABLE notifications.deliveries
    DROP CONSTRAINT deliveries_channel_check,
    DROP CONSTRAINT deliveries_reason_check,
    ADD CONSTRAINT deliveries_channel_check CHECK (channel IN ('email', 'webhook', 'link')),
    ADD CONSTRAINT deliveries_reason_check CHECK (reason IN ('subscription', 'starter', 'person'));
COMMENT ON COLUMN notifications.deliveries.channel IS 'link: a mail to one person about the own account; of no project';

INSERT INTO notifications.progress (name, finished_at) VALUES ('people', clock_timestamp());
