"""Which calls of the API each page stands for: nobody gets through a page what these refuse to them.

A test holds every page against this table (tests/integration/api/test_web_access_table.py).
"""

from collections.abc import Mapping

NOBODY = "-"
"""The page has no such method."""

_ROWS = """
    nowhere get_project -
    people list_people -
    invite_person list_people invite_person
    revoke_administrator_token list_administrator_tokens revoke_administrator_token
    change_person get_person change_person
    reset_person get_person reset_password
    unlink_person get_person unlink_person
    projects list_projects -
    all_projects list_projects -
    new_project create_project create_project
    project_settings get_project change_project
    audit list_audit -
    instance_audit list_instance_audit -
    variables list_variables -
    new_variable list_variables save_variable
    edit_variable get_variable save_variable
    remove_variable get_variable delete_variable
    members list_members -
    invite_member list_members invite_member
    change_member get_member change_member
    remove_member get_member remove_member
    tokens list_tokens -
    new_token list_tokens create_token
    edit_token get_token change_token
    refresh_token get_token refresh_token
    revoke_token get_token revoke_token
    account get_me change_me
    own_password get_me change_password
    end_session - end_session
    end_all_sessions get_me sign_out_everywhere
    revoke_login - revoke_own_token
    new_orchestration get_project save_orchestration
    load_demo get_demo_definitions apply_definitions
    import_definitions get_project plan_definitions
    badge get_project -
    orchestrations list_orchestrations -
    orchestration get_orchestration -
    switch_orchestration - switch_orchestration
    run_orchestration get_orchestration run_orchestration
    edit_orchestration get_orchestration save_orchestration
    duplicate_orchestration get_orchestration copy_orchestration
    export_orchestration export_definitions -
    backfill_orchestration list_schedules backfill_schedule
    trash_orchestration - delete_orchestration
    restore_orchestration - restore_from_trash
    refresh_orchestration_token refresh_orchestration_token refresh_orchestration_token
    versions list_orchestration_versions -
    compare_versions compare_orchestration_versions -
    version get_orchestration_version -
    restore_version get_orchestration_version restore_orchestration_version
    configurations list_configurations -
    component_configurations list_configurations -
    new_configuration save_configuration save_configuration
    create_configuration save_configuration save_configuration
    check_new_configuration - save_configuration
    configuration get_configuration -
    configuration_jobs list_jobs -
    configuration_versions list_configuration_versions -
    compare_configuration compare_configuration_versions -
    restore_configuration_version - restore_configuration_version
    edit_configuration save_configuration save_configuration
    check_configuration - save_configuration
    copy_configuration copy_configuration copy_configuration
    trash_configuration - delete_configuration
    restore_configuration - restore_from_trash
    run_configuration get_configuration run_configuration
    automate_configuration automate_configuration automate_configuration
    preview_automation preview_schedule -
    components list_components -
    register_component save_component save_component
    check_component - save_component
    component get_component -
    edit_component save_component save_component
    run get_run -
    job_log_part get_job_log_lines -
    terminate_run preview_termination terminate_job
    retry_run plan_retry retry_job
    new_schedule get_orchestration save_schedule
    schedule_preview - preview_schedule
    schedule get_schedule save_schedule
    schedule_fires list_fires -
    switch_schedule - switch_schedule
    remove_schedule - delete_schedule
    restore_schedule - restore_schedule
    new_trigger get_orchestration save_trigger
    trigger_preview - preview_trigger
    trigger get_trigger save_trigger
    trigger_now explain_trigger -
    trigger_updates list_dispositions -
    switch_trigger - switch_trigger
    reset_trigger get_trigger reset_trigger
    remove_trigger get_trigger delete_trigger
    why explain_trigger -
    trash list_trash -
    restore_from_trash - restore_from_trash
    purge_from_trash list_trash purge_from_trash
    notifications get_notifications -
    new_notification get_notifications save_notifications
    notification get_notifications save_notifications
    remove_notification - save_notifications
    test_notification - send_test_mail
    deliveries list_deliveries -
    tables list_tables -
    table list_listeners -
    bucket list_buckets -
    share_bucket share_bucket share_bucket
    unshare_bucket unshare_bucket unshare_bucket
    jobs list_jobs -
    job get_job -
    terminate_job preview_termination terminate_job
    dead_letters list_dead_letters -
    replay_dead_letter - replay_dead_letter
    drop_dead_letter discard_dead_letter discard_dead_letter
    search search -
    tasks get_draft -
    change_tasks - change_draft
    save_tasks - save_draft
    discard_tasks discard_draft discard_draft
    add_tasks change_draft change_draft
    addable_tasks change_draft -
    move_task change_draft change_draft
    settings_task change_draft change_draft
    more_of_task change_draft -
    group_tasks change_draft -
"""
PAGE_ROWS: Mapping[str, tuple[str, str]] = {
    name: (read, sent) for name, read, sent in (line.split() for line in _ROWS.strip().splitlines())
}
"""By page: the call that answers what it shows, and the call that does what its form does."""

WITHOUT_A_SESSION = (
    "home", "project", "sign_in", "sign_in_again", "oidc", "oidc_callback", "sign_out", "link",
    "forgot_password", "cli_login",
)  # fmt: skip
"""Pages for whoever is not signed in yet, or is leaving; each has tests of its own."""
