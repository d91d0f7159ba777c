"""A real run, executed by a real runner, told by a real notifier."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.integration.notifier.conftest import Stage, StartNotifier, mails
from tests.support.pipelines import PROJECT, runner_environment, task
from tests.support.service_process import ServiceProcess
from tests.support.smtp_sink import SmtpSink

from orchestrator_shared.domain.statuses import Origin
from orchestrator_shared.secret_places import of_parameters
from orchestrator_shared.security import Encryption

FAILING = """
for line in range(40):
    print("line", line)
print("the password is", parameters["#password"])
sys.exit("it broke <b>badly</b>")
"""


async def test_the_mail_about_a_failed_run_names_what_failed_and_why(
    stage: Stage,
    start_notifier: StartNotifier,
    smtp_sink: SmtpSink,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
    tmp_path: Path,
) -> None:
    pipelines = stage.pipelines
    secret = Encryption([bytes(range(32))]).encrypt_value(
        "hunter22", of_parameters(PROJECT, "script", "load")
    )
    await pipelines.configuration("load", {"code": FAILING, "#password": secret})
    await stage.pipelines.database.execute(
        "UPDATE catalog.configurations SET name = 'Load orders' WHERE id = 'load'"
    )
    await pipelines.scripts(fine="print('fine')", later="print('later')")
    await pipelines.orchestration("inner", [task("load")])
    await pipelines.orchestration(
        "outer", [task("fine"), task("inner", component="orchestrator")], [task("later")]
    )
    await stage.subscribe("outer", error="a@example.com")
    await start_notifier().ready()
    runner = service_process(
        "orchestrator_runner", runner_environment(pipelines.database, pipelines.broker, tmp_path)
    )
    await runner.ready()

    run = await pipelines.run("outer", origin=Origin.API, requested_by="token ci")
    (mail,) = await mails(smtp_sink, 1)
    text = mail.text.replace("\r\n", "\n")

    assert mail.subject == "[demo] outer #1 failed: Load orders"
    assert "1 of 3 tasks succeeded, 1 failed, 1 not executed." in text
    assert "the API (token ci)" in text
    assert "inner → Load orders (script/load)" in text
    assert "phase Phase 1 · error" in text
    assert "  it broke <b>badly</b>\n" in text
    assert "| line 39\n" in text
    assert "| line 20\n" not in text
    assert "hunter22" not in text
    assert f"orchestrator jobs show {run} --project demo" in text
    assert "orchestrator run outer --project demo --task inner --task later" in text
    html = mail.message.get_body(("html",))
    assert html is not None
    assert "it broke &lt;b&gt;badly&lt;/b&gt;" in html.get_content()
    assert "<b>" not in html.get_content()
