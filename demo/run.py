"""``make demo``: plays the stories in ``demo/stories/`` on the emulator in real Airflow, two at a time.

python -m demo.run [STORY ...] [--speed N] [--folder DIR]
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import shutil
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import cast

from demo import stories
from demo.package import ROOT
from demo.processes import Unwell, leave_on_sigterm
from demo.stage import Account, Stage, Story, Voice, scene

FOLDER = ROOT / "build" / "demo"
SPEED = 60.0
AT_ONCE = 2  # stories: SQLite has one writer at a time, and Airflow gives up when it waits for five seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the named stories, or all; 0 when every one went as told."""
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = set(options.stories) - set(story_names())
    if unknown:
        parser.error(f"no story {', '.join(sorted(unknown))}; there are: {', '.join(story_names())}")
    leave_on_sigterm()
    folder: Path = options.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        results = play(options.stories or story_names(), folder, options.speed)
    except KeyboardInterrupt:
        print("\nstopped")
        return 130
    except Unwell as error:
        print(f"\nthe stage could not be set: {error}\nlogs: {folder}")
        return 1
    for title, result in results:
        print(f"\n{title}\n" + "\n".join(_lines(result)))
    failed = [title for title, result in results if isinstance(result, Exception)]
    print(f"\n{len(results) - len(failed)} of {len(results)} stories went as told. Logs: {folder}")
    return 1 if failed else 0


def play(names: Sequence[str], folder: Path, speed: float) -> list[tuple[str, Account | Exception]]:
    """Set the stage, play the stories, clear the stage: (title, account or what went wrong) of each."""
    chosen = [(name, load(name)) for name in names]
    voice = Voice()
    with scene(folder, voice, speed=speed) as (stack, emulator), ThreadPoolExecutor(AT_ONCE) as threads:
        running: list[tuple[str, Future[Account]]] = []
        for name, story in chosen:
            stage = Stage(stack.airflow, emulator, voice, name if len(chosen) > 1 else "")
            running.append((story.TITLE, threads.submit(story.run, stage)))
        try:
            return [(title, _result(future)) for title, future in running]
        except BaseException:
            stack.stop()  # the stories that still run end with it
            raise


def load(name: str) -> Story:
    """The story of this name."""
    return cast("Story", importlib.import_module(f"{stories.__name__}.{name}"))


def story_names() -> list[str]:
    """The files in ``demo/stories/``."""
    return sorted(module.name for module in pkgutil.iter_modules(stories.__path__))


def _result(future: Future[Account]) -> Account | Exception:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, Exception):
        return error
    raise error


def _lines(result: Account | Exception) -> list[str]:
    if isinstance(result, Unwell):
        return [f"  did not go as told: {result}"]
    if isinstance(result, Exception):
        return ["  did not go as told:", *traceback.format_exception(result)]
    width = max((len(what) for what, _ in result), default=0)
    return [f"  {what:<{width}}  {value}" for what, value in result]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.run", description="Plays stories in real Airflow.")
    parser.add_argument("stories", nargs="*", help="which; all when none is named")
    parser.add_argument("--speed", type=float, default=SPEED, help="service seconds in a real second (%(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where everything is built and logged (emptied)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
