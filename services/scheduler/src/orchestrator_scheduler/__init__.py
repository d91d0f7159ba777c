"""The scheduler service: emits run requests by cron and interval."""
