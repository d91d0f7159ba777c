"""From samples to the table: workload, goal, figures, verdict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks import workloads
from tests.benchmarks.measuring import Samples
from tests.benchmarks.workloads import Workload

OURS, REFERENCE = "ours", "R"
MORE_SLOTS = "more-slots"
HEADER = ("workload", "goal", OURS, REFERENCE, "ratio", "verdict")
MET, MISSED, DEFECT = "met", "missed", "DEFECT"
Results = Mapping[str, Mapping[str, Samples]]
"""By name of the workload, then of the system."""


@dataclass(frozen=True)
class Baselines:
    """What the goals refer to, besides R."""

    quorum_seconds: float
    spawn_rate: float


def rows(results: Results, baselines: Baselines) -> list[tuple[str, ...]]:
    """The table of issue 3, as far as it was measured."""
    made: list[tuple[str, ...]] = []
    if workloads.ALONE.name in results:
        made += _alone(results[workloads.ALONE.name])
    for workload in (workloads.MANY, workloads.ONE_WIDE):
        if workload.name in results:
            made.append(_throughput(workload, results[workload.name]))
    if workloads.ONE_LONG.name in results:
        made.append(_steps(results[workloads.ONE_LONG.name], baselines.quorum_seconds))
    if workloads.MANY_SPAWNED.name in results:
        made += _spawned(results[workloads.MANY_SPAWNED.name], baselines.spawn_rate)
    return made


def _alone(samples: Mapping[str, Samples]) -> list[tuple[str, ...]]:
    ours, reference = samples[OURS], samples[REFERENCE]
    ratio = ours.median / reference.median
    spread = ours.percentile(0.99) / ours.median
    name = workloads.ALONE.name
    return [
        (
            f"{name}: p50",
            "≤ 1.6 x R",
            _ms(ours.median),
            _ms(reference.median),
            f"{ratio:.2f}",
            _at_most(ratio, 1.6),
        ),
        (
            f"{name}: p99",
            "≤ 2 x own p50",
            _ms(ours.percentile(0.99)),
            _ms(reference.percentile(0.99)),
            f"{spread:.2f}",
            _at_most(spread, 2),
        ),
    ]


def _throughput(workload: Workload, samples: Mapping[str, Samples]) -> tuple[str, ...]:
    ours, reference = samples[OURS].rate(workload), samples[REFERENCE].rate(workload)
    ratio = ours / reference
    return (
        workload.name,
        "≥ 0.7 x R",
        _rate(ours),
        _rate(reference),
        f"{ratio:.2f}",
        _at_least(ratio, 0.7, 0.5),
    )


def _steps(samples: Mapping[str, Samples], quorum: float) -> tuple[str, ...]:
    steps = workloads.LONG.phases
    ours, reference = samples[OURS].median / steps, samples[REFERENCE].median / steps
    ratio = ours / quorum
    goal = f"≤ 2.5 x Q ({_ms(quorum)})"
    return (workloads.ONE_LONG.name, goal, _ms(ours), _ms(reference), f"{ratio:.2f}", _at_most(ratio, 2.5))


def _spawned(samples: Mapping[str, Samples], raw: float) -> list[tuple[str, ...]]:
    workload = workloads.MANY_SPAWNED
    name, goal, ours, reference, ratio, verdict = _throughput(workload, samples)
    share = samples[OURS].rate(workload) / raw
    made: list[tuple[str, ...]] = [
        (f"{name}, 8 at once", goal, ours, reference, ratio, verdict),
        ("", f"≥ 0.25 x raw ({raw:,.0f}/s)", ours, "", f"{share:.2f}", _at_least(share, 0.25)),
    ]
    if MORE_SLOTS in samples:
        more = samples[MORE_SLOTS].rate(workload)
        ratio = f"{more / samples[REFERENCE].rate(workload):.2f}"
        made.append((f"{name}, {workloads.NOOP_CONCURRENCY} slots", "", _rate(more), reference, ratio, ""))
    return made


def comparison(results: Results, systems: Sequence[str]) -> list[tuple[str, ...]]:
    """Every system beside every other: milliseconds for one run alone, else tasks per second."""
    made = []
    for workload in (workloads.ALONE, workloads.MANY, workloads.ONE_WIDE):
        if workload.name in results:
            samples = results[workload.name]
            figures = [_compared(workload, samples[name]) for name in systems if name in samples]
            made.append((workload.name, *figures))
    return made


def _compared(workload: Workload, samples: Samples) -> str:
    if not samples.seconds:
        return samples.missing
    return _ms(samples.median) if workload is workloads.ALONE else _rate(samples.rate(workload))


def _at_most(ratio: float, goal: float) -> str:
    return MET if ratio <= goal else MISSED


def _at_least(ratio: float, goal: float, defect: float = 0.0) -> str:
    if ratio < defect:
        return DEFECT
    return MET if ratio >= goal else MISSED


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}/s"


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    cells = [list(header), *map(list, lines)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    drawn = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    drawn.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(drawn)
