"""Text bars: what overlaps is seen, and phases that touch are not taken for overlapping."""

from datetime import UTC, datetime, timedelta

from orchestrator_local.demo.bars import BAR, TaskSpan, bar_lines, have_overlap, phases_are_apart, spans_of

START = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)


def span(phase: str, name: str, began: float, ended: float, status: str = "success") -> TaskSpan:
    return TaskSpan(phase, name, status, START + timedelta(seconds=began), START + timedelta(seconds=ended))


RUN = [
    span("Extract", "csv-extractor/flights", 0, 6),
    span("Extract", "csv-extractor/weather", 0.1, 2),
    span("Transform", "sql-transformation/delays", 6.2, 8),
    span("Write", "csv-writer/report", 8, 10),
]


def test_bars_lie_where_their_tasks_ran() -> None:
    lines = [line.plain for line in bar_lines(RUN, width=20)]
    assert lines == [
        "Extract",
        "  csv-extractor/flights      ████████████            6.0 s",
        "  csv-extractor/weather      ████                    1.9 s",
        "Transform",
        "  sql-transformation/delays              ████        1.8 s",
        "Write",
        "  csv-writer/report                          ████    2.0 s",
    ]


def test_every_bar_is_seen_and_none_leaves_its_place() -> None:
    spans = [span("A", "long", 0, 1000), span("B", "short", 1000, 1000), span("C", "last", 1000, 1000.001)]
    bars = [line.plain for line in bar_lines(spans, width=30) if BAR in line.plain]
    assert [bar.count(BAR) for bar in bars] == [30, 1, 1]
    assert len({len(bar.rpartition(BAR)[0]) <= 9 + 30 for bar in bars}) == 1


def test_overlap_and_order() -> None:
    assert have_overlap(RUN[:2])
    assert not have_overlap(RUN[2:])
    assert phases_are_apart(RUN)
    assert not phases_are_apart([*RUN, span("Last", "too-early", 9.9, 11)])
    assert not have_overlap([])
    assert phases_are_apart([])


def test_only_tasks_that_ran_have_bars() -> None:
    phases = [
        {
            "name": "Extract",
            "tasks": [
                {"id": "a", "job": {"status": "success", "started_at": "2026-11-21T10:00:00Z",
                                    "finished_at": "2026-11-21T10:00:01.5Z"}},
                {"id": "b", "job": None},
                {"id": "c", "job": {"status": "processing", "started_at": "2026-11-21T10:00:00Z"}},
            ],
        }
    ]  # fmt: skip
    assert [(each.name, each.seconds) for each in spans_of(phases)] == [("a", 1.5)]
    assert bar_lines([]) == []
