"""Which calls of the API each kind of token and each role may make.

A test holds the API against this table (tests/integration/api/test_api_access_table.py); the tables of
docs/reference/tokens.md and docs/reference/roles.md are generated from it.
"""

from collections.abc import Mapping, Sequence

TOKENS = (
    "read",
    "configure",
    "configure, its component",
    "run",
    "run, a component",
    "publish",
    "orchestration",
    "job",
)
ROLES = ("viewer", "viewer who may run", "editor", "admin", "instance administrator")
KINDS = (*TOKENS, *ROLES)
YES, OWN, NO = "yes", "own", "no"
_WORDS = {"y": YES, "o": OWN, ".": NO}

ROWS: Mapping[str, str] = {
    "list_projects": "yyy...y. yyyyy",
    "get_project": "yyy...y. yyyyy",
    "list_components": "yyy...y. yyyyy",
    "get_component": "yyy...y. yyyyy",
    "list_configurations": "yyy...y. yyyyy",
    "count_configurations": "yyy...y. yyyyy",
    "list_configuration_overview": "yyy...y. yyyyy",
    "get_configuration": "yyy...y. yyyyy",
    "list_configuration_versions": "yyy...y. yyyyy",
    "list_configuration_usages": "yyy...y. yyyyy",
    "get_configuration_version": "yyy...y. yyyyy",
    "compare_configuration_versions": "yyy...y. yyyyy",
    "list_orchestrations": "yyy...y. yyyyy",
    "count_orchestrations": "yyy...y. yyyyy",
    "list_attention": "yyy...y. yyyyy",
    "list_trash": "yyy...y. yyyyy",
    "get_orchestration": "yyy...y. yyyyy",
    "list_orchestration_versions": "yyy...y. yyyyy",
    "list_orchestration_usages": "yyy...y. yyyyy",
    "get_orchestration_version": "yyy...y. yyyyy",
    "compare_orchestration_versions": "yyy...y. yyyyy",
    "group_tasks": "yyy...y. yyyyy",
    "arrange_tasks": "yyy...y. yyyyy",
    "get_draft": "yyy...y. yyyyy",
    "preview_draft": "yyy...y. yyyyy",
    "list_overlaps": "yyy...y. yyyyy",
    "get_job_log": "yyy...y. yyyyy",
    "get_first_error": "yyy...y. yyyyy",
    "get_job_log_lines": "yyy...y. yyyyy",
    "search_job_log": "yyy...y. yyyyy",
    "download_job_log": "yyy...y. yyyyy",
    "stream_job_log": "yyy...y. yyyyy",
    "explain_job": "yyy...y. yyyyy",
    "get_job_timeline": "yyy...y. yyyyy",
    "search": "yyy...y. yyyyy",
    "list_lanes": "yyy...y. yyyyy",
    "preview_termination": "yyy...y. yyyyy",
    "list_schedules": "yyy...y. yyyyy",
    "get_schedule": "yyy...y. yyyyy",
    "list_fires": "yyy...y. yyyyy",
    "list_schedule_presets": "yyy...y. yyyyy",
    "preview_schedule": "yyy...y. yyyyy",
    "list_triggers": "yyy...y. yyyyy",
    "get_trigger": "yyy...y. yyyyy",
    "preview_trigger": "yyy...y. yyyyy",
    "list_dispositions": "yyy...y. yyyyy",
    "explain_trigger": "yyy...y. yyyyy",
    "list_tables": "yyy...y. yyyyy",
    "list_listeners": "yyy...y. yyyyy",
    "list_buckets": "yyy...y. yyyyy",
    "list_shares": "yyy...y. yyyyy",
    "list_variables": "yyy...yy yyyyy",
    "get_variable": "yyy...yy yyyyy",
    "list_variable_usages": "yyy...y. yyyyy",
    "get_notifications": "yyy...y. yyyyy",
    "get_recipients": "yyy...y. yyyyy",
    "list_deliveries": "yyy...y. yyyyy",
    "export_definitions": "yyy...y. yyyyy",
    "get_demo_definitions": "yyy...y. yyyyy",
    "count_runs": "yyy...y. yyyyy",
    "list_runs": "yyyoo.y. yyyyy",
    "get_run": "yyyoo.y. yyyyy",
    "list_jobs": "yyyoo.y. yyyyy",
    "get_job": "yyyoo.yo yyyyy",
    "get_job_tasks": "yyyoo.yo yyyyy",
    "stream_project_events": "yyyoo.y. yyyyy",
    "stream_job_events": "yyyoo.y. yyyyy",
    "plan_retry": "yyyoo.y. yyyyy",
    "run_orchestration": "...y..y. .yyyy",
    "backfill_schedule": "...y..y. .yyyy",
    "run_configuration": "....y.y. .yyyy",
    "retry_job": "...oo.y. .yyyy",
    "terminate_job": "......y. .yyyy",
    "save_configuration": "..y..... ..yyy",
    "automate_configuration": "..y..... ..yyy",
    "delete_configuration": "..y..... ..yyy",
    "restore_from_trash": "..y..... ..yyy",
    "restore_configuration_version": "..y..... ..yyy",
    "copy_configuration": "..y..... ..yyy",
    "save_orchestration": "..y..... ..yyy",
    "delete_orchestration": "..y..... ..yyy",
    "restore_orchestration_version": "..y..... ..yyy",
    "copy_orchestration": "..y..... ..yyy",
    "change_draft": "..y..... ..yyy",
    "save_draft": "..y..... ..yyy",
    "discard_draft": "..y..... ..yyy",
    "refresh_orchestration_token": "..y..... ..yyy",
    "save_schedule": "..y..... ..yyy",
    "delete_schedule": "..y..... ..yyy",
    "restore_schedule": "..y..... ..yyy",
    "save_trigger": "..y..... ..yyy",
    "delete_trigger": "..y..... ..yyy",
    "reset_trigger": "..y..... ..yyy",
    "send_test_mail": "..y..... ..yyy",
    "save_notifications": "..y..... ..yyy",
    "save_variable": ".yy..... ..yyy",
    "delete_variable": ".yy..... ..yyy",
    "share_bucket": "........ ...yy",
    "unshare_bucket": "........ ...yy",
    "purge_from_trash": "........ ...yy",
    "plan_definitions": ".yy..... ..yyy",
    "apply_definitions": ".yy..... ..yyy",
    "get_orchestration_token": ".yy..... ..yyy",
    "list_audit": "........ ...yy",
    "publish_table_updates": ".....yyy ..yyy",
    "switch_orchestration": "..y..... .yyyy",
    "switch_schedule": "..y..... .yyyy",
    "switch_trigger": "..y..... .yyyy",
    "get_me": "yyyyyyyy yyyyy",
    "change_me": "........ yyyyy",
    "list_own_tokens": "yyyyyyyy yyyyy",
    "revoke_own_token": "yyyyyyyy yyyyy",
    "list_members": "........ ...yy",
    "get_member": "........ ...yy",
    "invite_member": "........ ...yy",
    "change_member": "........ ...yy",
    "remove_member": "........ ...yy",
    "get_session": "........ yyyyy",
    "sign_out": "........ yyyyy",
    "list_sessions": "........ yyyyy",
    "end_session": "........ yyyyy",
    "sign_out_everywhere": "........ yyyyy",
    "change_password": "........ yyyyy",
    "list_people": "........ ....y",
    "get_person": "........ ....y",
    "change_person": "........ ....y",
    "invite_person": "........ ....y",
    "reset_password": "........ ....y",
    "unlink_person": "........ ....y",
    "create_project": "........ ....y",
    "change_project": "........ ...yy",
    "save_component": "........ ....y",
    "list_tokens": "........ ...yy",
    "get_token": "........ ...yy",
    "change_token": "........ ...yy",
    "refresh_token": "........ ...yy",
    "change_orchestration_token": "........ ...yy",
    "create_token": "........ ...yy",
    "list_administrator_tokens": "........ ....y",
    "get_administrator_token": "........ ....y",
    "revoke_administrator_token": "........ ....y",
    "list_instance_audit": "........ ....y",
    "revoke_token": "........ ...yy",
    "list_dead_letters": "........ ....y",
    "replay_dead_letter": "........ ....y",
    "discard_dead_letter": "........ ....y",
}
"""By operation: a letter for each of TOKENS, then one for each of ROLES; `y` yes, `o` own, `.` no."""

OPEN: Mapping[str, int] = {
    "receive_callback": 404,
    "sign_in": 401,
    "create_cli_login": 401,
    "request_password_reset": 202,
    "get_link": 404,
    "use_link": 404,
}
"""Calls that need neither a token nor a session, and what they answer to everyone in the crawl."""


def row(operation: str) -> dict[str, str]:
    """What is expected for every kind of caller."""
    letters = ROWS[operation].replace(" ", "")
    return {kind: _WORDS[letter] for kind, letter in zip(KINDS, letters, strict=True)}


def token_table() -> str:
    """The table of docs/reference/tokens.md."""
    return _markdown((*TOKENS, "instance administrator"))


def role_table() -> str:
    """The table of docs/reference/roles.md."""
    return _markdown(ROLES)


def _markdown(kinds: Sequence[str]) -> str:
    lines = [f"| call | {' | '.join(kinds)} |", f"|{'---|' * (1 + len(kinds))}"]
    for operation in ROWS:
        expected = row(operation)
        lines.append(f"| `{operation}` | {' | '.join(expected[kind] for kind in kinds)} |")
    return "\n".join(lines)
