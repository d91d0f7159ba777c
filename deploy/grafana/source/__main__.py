"""Writes the dashboards as JSON into a folder, or prints where their panels are."""

import argparse
import json
from pathlib import Path

from deploy.grafana.source import orchestration, overview, platform, triggers, workers
from deploy.grafana.source.layout import PUBLIC_URL, Page
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import RowPanel

PAGES = (
    overview.PAGE,
    orchestration.PAGE,
    triggers.PAGE,
    workers.PAGE,
    platform.PAGE,
)
CHARACTERS_PER_COLUMN = 5


def generated(public_url: str = PUBLIC_URL) -> dict[str, str]:
    """The JSON of every dashboard by file name."""
    return {
        page.file: json.dumps(
            page.build(public_url), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False
        )
        + "\n"
        for page in PAGES
    }


def grid(page: Page) -> str:
    """A picture of the layout for people without Grafana: a box of text for each panel."""
    lines = [f"{page.title} ({page.uid})"]
    for panel in page.build().panels or []:
        place = panel.grid_pos
        assert place is not None
        if isinstance(panel, RowPanel):
            lines.append(f"-- {panel.title} ".ljust(24 * CHARACTERS_PER_COLUMN, "-"))
            continue
        box = f"[{panel.title}]"[: place.w * CHARACTERS_PER_COLUMN].ljust(place.w * CHARACTERS_PER_COLUMN)
        if place.x == 0:
            lines.append(box)
        else:
            lines[-1] += box
    return "\n".join(lines)


def main() -> None:
    """Write or print."""
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana.source", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where the JSON goes")
    parser.add_argument("--public-url", default=PUBLIC_URL, help="where people open the web page")
    parser.add_argument("--grid", action="store_true", help="print the layout instead")
    arguments = parser.parse_args()
    if arguments.grid or arguments.folder is None:
        print("\n\n".join(grid(page) for page in PAGES))
        return
    for name, text in generated(arguments.public_url).items():
        (arguments.folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
