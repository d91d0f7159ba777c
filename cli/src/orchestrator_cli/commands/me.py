"""`orchestrator me`: how one sees the pages, in every browser."""

from enum import StrEnum
from typing import Annotated

import typer

from orchestrator_cli.client import Json
from orchestrator_cli.commands.options import JsonOption, context
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import print_json, print_table

app = typer.Typer()


class Theme(StrEnum):
    """Light or dark."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Preference(StrEnum):
    """What can be chosen."""

    THEME = "theme"
    TIMEZONE = "timezone"
    SINGLE_KEYS = "single-keys"
    PAGE_SIZE = "page-size"

    @property
    def field(self) -> str:
        return self.value.replace("-", "_")


@app.command()
def show(as_json: JsonOption = False) -> None:
    """Show how you see the pages (people only)."""
    with context().client() as client:
        found = client.get("/me")
    if as_json:
        print_json(found)
        return
    if found["preferences"] is None:
        raise BadInput("this is for people: an API token sees no pages")
    _print(found["preferences"])


@app.command()
def change(
    theme: Annotated[Theme | None, typer.Option("--theme", help="Light or dark.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="In which times are shown, as in Europe/Prague.")
    ] = None,
    single_keys: Annotated[
        bool | None, typer.Option("--single-keys/--no-single-keys", help="Single letters as shortcuts.")
    ] = None,
    page_size: Annotated[
        int | None, typer.Option("--page-size", help="Rows on a page of a list: 20, 50 or 100.")
    ] = None,
    forget: Annotated[
        list[Preference] | None,
        typer.Option("--forget", help="Leave this to the browser again; repeatable."),
    ] = None,
) -> None:
    """Change how you see the pages, in every browser (people only)."""
    given = {"theme": theme, "timezone": timezone, "single_keys": single_keys, "page_size": page_size}
    changes: Json = {name: value for name, value in given.items() if value is not None}
    changes |= {each.field: None for each in forget or () if each.field not in changes}
    if not changes:
        raise BadInput("nothing to change: give --theme, --timezone, --single-keys, --page-size or --forget")
    with context().client() as client:
        _print(client.patch("/me", {"preferences": changes})["preferences"])


def _print(shown: Json) -> None:
    keys = {None: "as the browser", True: "on", False: "off"}[shown["single_keys"]]
    rows = {
        "theme": shown["theme"] or "as the browser",
        "timezone": shown["timezone"] or "as the browser",
        "single-keys": keys,
        "page-size": shown["page_size"] or "as the browser",
    }
    print_table(("preference", "chosen"), rows.items())
