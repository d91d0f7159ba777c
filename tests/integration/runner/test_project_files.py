"""Issue 8, 7: files of one project are out of reach for the components of another."""

import asyncio
from pathlib import Path

import pytest
from tests.integration.runner.conftest import StartRunner
from tests.support.pipelines import PROJECT, Pipelines

from orchestrator_shared.database.pool import prepare_connection

OTHERS = ("demo-2", "dem", "demox")
"""Names that begin like that of the first project, or the other way round."""
NOWHERE = "postgresql://u:p@127.0.0.1:1/w"


async def extractor_of(pipelines: Pipelines, project: str, source: str) -> None:
    """The built-in extractor, reading this file; it never comes to its warehouse."""
    parameters = {"source": source, "table": "in.c-a.b", "columns": {"a": "text"}, "connection": NOWHERE}
    async with pipelines.database.connection() as connection:
        await prepare_connection(connection)
        await connection.execute(
            "INSERT INTO catalog.projects (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", project
        )
        await connection.execute(
            """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
               VALUES ('csv-extractor', 'CSV', 'extractor', 'process', 'rerun', $1) ON CONFLICT DO NOTHING""",
            {
                "command": ["{python}", "-m", "orchestrator_components.csv_extractor"],
                "environment": {"ORCHESTRATOR_FILES_DIR": None},
            },
        )
        await connection.execute(
            """INSERT INTO catalog.configurations (project, component, id, name, version)
               VALUES ($1, 'csv-extractor', 'read', 'read', 1)""",
            project,
        )
        await connection.execute(
            """INSERT INTO catalog.configuration_versions
                   (project, component, configuration, version, parameters, author)
               VALUES ($1, 'csv-extractor', 'read', 1, $2, 'test')""",
            project,
            parameters,
        )


async def test_a_project_reaches_its_own_files_only(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    (files / PROJECT).mkdir(parents=True)
    (files / PROJECT / "report.csv").write_text("a\n1\n")
    (files / "report.csv").write_text("a\n1\n")
    sources = {
        PROJECT: "report.csv",
        "demo-2": "report.csv",
        "dem": f"../{PROJECT}/report.csv",
        "demox": str(files / PROJECT / "report.csv"),
    }
    for project, source in sources.items():
        await extractor_of(pipelines, project, source)
    await start_runner(ORCHESTRATOR_FILES_DIR=str(files)).ready()

    runs = [await pipelines.run("read", component="csv-extractor", project=project) for project in sources]
    ended = await asyncio.gather(*(pipelines.ended(run) for run in runs))

    messages = dict(zip(sources, (job["message"] for job in ended), strict=True))
    assert messages[PROJECT].startswith("#connection: cannot connect")  # the file was there
    assert messages["demo-2"] == "source: file report.csv does not exist"
    assert "is outside the files directory" in messages["dem"]
    assert "is outside the files directory" in messages["demox"]
    assert sorted(path.name for path in files.iterdir()) == ["dem", "demo", "demo-2", "demox", "report.csv"]


@pytest.mark.parametrize("kind", ["link", "file"])
async def test_a_link_in_place_of_a_project_folder_is_refused(
    pipelines: Pipelines, start_runner: StartRunner, tmp_path: Path, kind: str
) -> None:
    files = tmp_path / "files"
    (files / "other").mkdir(parents=True)
    if kind == "link":
        (files / PROJECT).symlink_to(files / "other")
    else:
        (files / PROJECT).write_text("")
    await extractor_of(pipelines, PROJECT, "report.csv")
    await start_runner(ORCHESTRATOR_FILES_DIR=str(files)).ready()

    job = await pipelines.ended(await pipelines.run("read", component="csv-extractor"))

    assert (job["status"], job["error_kind"]) == ("error", "internal")
    assert "is not a folder of its own" in job["message"]
