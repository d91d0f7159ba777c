-- Mails that were not sent, yet or at all: few among many, and the ones that people look for.
CREATE INDEX deliveries_unsent ON notifications.deliveries (project, created_at DESC, id DESC) WHERE status <> 'sent';
