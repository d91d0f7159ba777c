-- Least privilege, said anew after every migration: each service writes its own schema and reads others' views.
-- Names in double braces are replaced by quoted role names.
GRANT USAGE ON SCHEMA catalog, triggers, jobs, scheduler, notifications, orchestrator_migrations
    TO {{api}}, {{scheduler}}, {{trigger_watcher}}, {{runner}}, {{notifier}};
GRANT SELECT ON orchestrator_migrations.applied TO {{api}}, {{scheduler}}, {{trigger_watcher}}, {{runner}}, {{notifier}};

-- A database restored without privileges lets everyone call every function, as the owner where it is SECURITY DEFINER.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA catalog, triggers, jobs, scheduler, notifications FROM public;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA catalog TO {{api}};
-- Records are never changed. DELETE is for the retention of the previous release; a trigger refuses any other.
REVOKE UPDATE ON catalog.audit FROM {{api}};
GRANT EXECUTE ON FUNCTION catalog.forget_audit(integer, integer) TO {{api}};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA scheduler TO {{scheduler}};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA triggers TO {{trigger_watcher}};
GRANT EXECUTE ON FUNCTION triggers.first_number() TO {{trigger_watcher}};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO {{runner}};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA notifications TO {{notifier}};

GRANT SELECT ON catalog.schedules_v1, catalog.configurations_v1 TO {{scheduler}};
GRANT SELECT ON catalog.projects_v1, catalog.triggers_v1, catalog.trigger_tables_v1, catalog.configurations_v1,
    jobs.lanes_v1 TO {{trigger_watcher}};
GRANT SELECT ON catalog.projects_v1, catalog.components_v1, catalog.configurations_v1,
    catalog.configuration_versions_v1, catalog.orchestration_tokens_v1, catalog.variables_v1, catalog.run_requests_v1,
    catalog.callbacks_v1 TO {{runner}};
GRANT EXECUTE ON FUNCTION triggers.begin_runs(text[], text[]), triggers.lock_waiting(uuid[]),
    triggers.newest_updates(uuid[]) TO {{runner}};
GRANT SELECT ON jobs.withdrawals_v1, jobs.chains_v1 TO {{trigger_watcher}}, {{api}};
GRANT SELECT ON catalog.subscriptions_v1, catalog.configurations_v1, catalog.projects_v1, catalog.schedules_v1,
    catalog.triggers_v1, catalog.person_mails_v1, jobs.lanes_v1, jobs.phases_v1, jobs.logs_v1 TO {{notifier}};

-- Column by column, because the parameters of jobs and tasks hold people's secrets: nobody reads them but api and runner.
REVOKE SELECT ON jobs.jobs_v1, jobs.tasks_v1 FROM {{trigger_watcher}}, {{notifier}};
GRANT SELECT (id, number, project, component, configuration, kind, status, origin, parent_id, root_id, depth, phase, task_id,
        requested_by, notify, attended, schedule_id, fire_key, trigger_id, generation, retry_of, scheduled_for,
        previous_success, max_attempts, attempt, free_attempts, delayed, replica_id, revision, requested_at, accepted_at,
        due_at, ready_at, started_at, finished_at, stop_requested_at, stop_requested_by, version, full_run, used_updates,
        message, error_kind, output_tables, lane_id, timeout_seconds, exact_status)
    ON jobs.jobs_v1 TO {{trigger_watcher}}, {{notifier}};
GRANT SELECT (end_reason) ON jobs.jobs_v1 TO {{notifier}};
GRANT SELECT (run_id, phase, position, task_id, name, component, configuration, continue_on_failure, active, status, job_id,
        version)
    ON jobs.tasks_v1 TO {{notifier}};
GRANT SELECT ON triggers.tables_v1, triggers.updates_v1, triggers.states_v1, triggers.counts_v1, triggers.dispositions_v1, triggers.fires_v1, triggers.saved_versions_v1,
    jobs.lanes_v1, jobs.jobs_v1, jobs.phases_v1, jobs.tasks_v1, jobs.attempts_v1, jobs.logs_v1, jobs.replicas_v1, jobs.request_records_v1, jobs.callbacks_v1,
    scheduler.next_fires_v1, scheduler.fires_v1, notifications.deliveries_v1 TO {{api}};

-- Grafana's role is optional: it reads the views for dashboards, and nothing else.
DO $do$
BEGIN
    IF to_regrole($role${{grafana}}$role$) IS NOT NULL THEN
        GRANT USAGE ON SCHEMA reports TO {{grafana}};
        GRANT SELECT ON reports.orchestrations_v1, reports.runs_v1, reports.phases_v1 TO {{grafana}};
    END IF;
END
$do$;
