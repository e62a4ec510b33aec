"""The run as a picture: small multiples over one axis of minutes, bands where the larger things went wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.soak.figures import Line, lines, own, percentiles

BIN = 30.0  # seconds
COLOURS = 200
OUTCOMES = {"ok": "#4c8c5a", "throttled": "#e0a030", "failed": "#c0504d", "no_answer": "#7b5ea7", "refused": "#444444"}
BLUE, ORANGE, GREY = "#2f6db3", "#d9782d", "#999999"


def picture(folder: Path, to: Path) -> None:
    """Draws what is in the folder."""
    import matplotlib  # type: ignore[import-not-found,unused-ignore]

    matplotlib.use("Agg")
    from matplotlib import pyplot  # type: ignore[import-not-found,unused-ignore]

    run = json.loads((folder / "run.json").read_text())
    samples, probed = lines(folder / "samples.jsonl"), lines(folder / "probe.jsonl")
    pyplot.rcParams.update({"font.size": 8, "axes.titlesize": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = pyplot.subplots(4, 2, figsize=(10, 9.2), sharex=True, layout="constrained")
    begun = run["phases"]["fill"]
    panels = (_waits, _requests, _lag, _times, _memory, _processor, _files, _connections)
    for draw, axis in zip(panels, axes.flat, strict=True):
        draw(axis, samples, probed, begun)
        axis.set_ylim(bottom=axis.get_ylim()[0] if axis.get_yscale() == "log" else 0)
        axis.grid(alpha=0.25, linewidth=0.5)
        for spell in run["weather"]:
            left = (spell["from"] - begun) / 60
            axis.axvspan(left, max((spell.get("to", spell["from"]) - begun) / 60, left + 0.15), color="#ddd", zorder=0)
    _name_spells(axes[0][0], run["weather"], begun)
    for axis in axes[-1]:
        axis.set_xlabel("minutes")
    _save(figure, to)


def _save(figure: Any, to: Path) -> None:
    """With few colours, which halves the file."""
    from PIL import Image  # type: ignore[import-not-found,unused-ignore]

    with io.BytesIO() as whole:
        figure.savefig(whole, dpi=100, format="png")
        Image.open(whole).convert("RGB").quantize(COLOURS).save(to, optimize=True)


def _name_spells(axis: Any, spells: Sequence[Line], begun: float) -> None:
    for number, spell in enumerate(spells):
        text = f"{spell['tenant'].replace('_', ' ')} {spell['name']}"
        place = ((spell["from"] - begun) / 60, axis.get_ylim()[1] * (0.62 - 0.1 * number))
        late = place[0] > 0.7 * axis.get_xlim()[1]
        axis.annotate(text, place, fontsize=7, color="#333", ha="right" if late else "left")


def _series(samples: Sequence[Line], begun: float, value: Callable[[Line], float]) -> tuple[list[float], list[float]]:
    return [(one["at"] - begun) / 60 for one in samples], [value(one) for one in samples]


def _bins(probed: Sequence[Line], begun: float) -> list[tuple[float, list[Line]]]:
    found: dict[int, list[Line]] = {}
    for one in probed:
        if one["at"] >= begun:
            found.setdefault(int((one["at"] - begun) // BIN), []).append(one)
    return [((number + 0.5) * BIN / 60, some) for number, some in sorted(found.items())]


def _waits(axis: Any, samples: Sequence[Line], probed: Sequence[Line], begun: float) -> None:
    axis.set_title("waits")
    axis.plot(*_series(samples, begun, lambda one: one["alive"]), color=BLUE, label="alive")
    right = axis.twinx()
    right.plot(*_series(samples, begun, lambda one: one["begun"] - one["alive"]), color=ORANGE, label="ended so far")
    right.set_ylim(bottom=0)
    right.tick_params(axis="y", colors=ORANGE)
    lines_of = [axis.lines[0], right.lines[0]]
    axis.legend(lines_of, ["alive", "ended so far (right)"], loc="upper center", ncols=2, frameon=False, fontsize=7)
    axis.set_ylim(top=axis.get_ylim()[1] * 1.2)


def _requests(axis: Any, samples: Sequence[Line], probed: Sequence[Line], begun: float) -> None:
    axis.set_title("requests a second, by outcome")
    bins = _bins(probed, begun)
    seconds = [max(len(some), 1) for _, some in bins]
    rows = [
        [
            sum(one["requests"].get(outcome, 0) for one in some) / count
            for (_, some), count in zip(bins, seconds, strict=True)
        ]
        for outcome in OUTCOMES
    ]
    axis.stackplot([place for place, _ in bins], rows, colors=OUTCOMES.values(), labels=list(OUTCOMES), linewidth=0)
    axis.legend(loc="upper center", ncols=5, frameon=False, fontsize=7, columnspacing=1)
    axis.set_ylim(top=axis.get_ylim()[1] * 1.1)


def _lag(axis: Any, samples: Sequence[Line], probed: Sequence[Line], begun: float) -> None:
    axis.set_title("late wake-ups of the event loop, ms")
    bins = _bins(probed, begun)
    places = [place for place, _ in bins]
    clock = [percentiles([late for one in some for late in one["late"]])["p99"] for _, some in bins]
    axis.plot(places, [max(late, 0.1) for late in clock], color="#bbb", linewidth=0.8, label="p99, other work included")
    found = [percentiles([late for one in some for late in own(one)]) for _, some in bins]
    for name, colour, width in (("p95", BLUE, 0.9), ("p99", ORANGE, 1.2)):
        axis.plot(places, [max(one[name], 0.1) for one in found], color=colour, linewidth=width, label=name)
    axis.plot(places, [max(one["most"], 0.1) for one in found], ".", color="#c0504d", markersize=2, label="most")
    axis.axhline(100, color="black", linewidth=0.7, linestyle="--")
    axis.set_yscale("log")
    axis.set_ylim(top=axis.get_ylim()[1] * 8)
    axis.legend(loc="upper center", ncols=4, frameon=False, fontsize=7)


def _times(axis: Any, samples: Sequence[Line], probed: Sequence[Line], begun: float) -> None:
    axis.set_title("mean time of a request, ms; load of the machine (2 cores)")
    bins = _bins(probed, begun)
    asked = [max(sum(sum(one["requests"].values()) for one in some), 1) for _, some in bins]
    means = [1000 * sum(one["request_time"] for one in some) / n for (_, some), n in zip(bins, asked, strict=True)]
    axis.plot([place for place, _ in bins], [max(mean, 1.0) for mean in means], color=BLUE, linewidth=0.9)
    axis.set_yscale("log")
    right = axis.twinx()
    right.plot(*_series(samples, begun, lambda one: one["load"]), color=GREY, linewidth=0.9)
    right.set_ylim(bottom=0)
    axis.legend(
        [axis.lines[0], right.lines[0]], ["mean time", "load (right)"], loc="upper left", frameon=False, ncols=2
    )


def _memory(axis: Any, samples: Sequence[Line], probed: Sequence[Line], begun: float) -> None:
    axis.set_title("memory, MB")
    axis.plot(*_series(samples, begun, lambda one: one["runner"]["memory"]), color=BLUE, label="runner (our triggers)")
    axis.plot(
        *_series(samples, begun, lambda one: one["supervisor"]["memory"]), color=GREY, label="supervisor (Airflow)"
    )
    axis.legend(loc="lower center", ncols=2, frameon=False, fontsize=7)


def _processor(axis: Any, samples: Sequence[Line], probed: Sequence[Line], begun: float) -> None:
    axis.set_title("processor, share of a core")
    for name, colour in (("runner", BLUE), ("supervisor", GREY), ("service", ORANGE)):
        places, values = [], []
        for before, after in zip(samples[:-3:3], samples[3::3], strict=False):
            places.append((after["at"] - begun) / 60)
            values.append((after[name]["processor"] - before[name]["processor"]) / (after["at"] - before["at"]))
        axis.plot(places, values, color=colour, linewidth=0.9, label=name if name != "service" else "emulator 1")
    axis.legend(loc="upper center", ncols=3, frameon=False, fontsize=7)


def _files(axis: Any, samples: Sequence[Line], probed: Sequence[Line], begun: float) -> None:
    axis.set_title("descriptors and threads of the runner")
    axis.set_ymargin(0.12)
    axis.plot(*_series(samples, begun, lambda one: one["runner"]["descriptors"]), color=BLUE, label="descriptors")
    axis.plot(*_series(samples, begun, lambda one: one["runner"]["threads"]), color=ORANGE, label="threads")
    axis.legend(loc="upper center", ncols=2, frameon=False, fontsize=7)


def _connections(axis: Any, samples: Sequence[Line], probed: Sequence[Line], begun: float) -> None:
    axis.set_title("connections of the runner to the two services, open ones")
    axis.plot(*_series(samples, begun, lambda one: one["runner"]["connections"]), color=BLUE)
