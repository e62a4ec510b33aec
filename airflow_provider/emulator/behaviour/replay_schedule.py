"""Replays that start by themselves: five lists as in cron, in UTC (help page "Challengers settings").

A list holds numbers, their texts or ``*``; other words fit no moment. Day of month and day of week must both fit; 0 and
7 are Sunday. A replay that would begin while another runs is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator.agenda import due
from airflow_provider.emulator.answers import Refusal
from airflow_provider.emulator.behaviour.challenger_replays import replay_settings, running_replay, start_replay

if TYPE_CHECKING:
    from airflow_provider.emulator.service import Service
    from airflow_provider.emulator.store import Record

DAYS = 4 * 366 + 1  # after so many days without a fitting one there is none, not even a 29th of February


def plan_next(service: Service, deployment: Record) -> None:
    """Put the next replay on the agenda; one that was planned by other settings is not carried out."""
    settings = replay_settings(deployment)
    moment = next_moment(settings["schedule"], service.clock.now()) if settings["enabled"] is True else None
    if moment is not None:
        service.store.plan(moment, "scheduledReplay", deployment_id=deployment["id"], settings=settings)


@due("scheduledReplay")
def scheduled_replay(service: Service, *, deployment_id: str, settings: Record) -> None:
    """Replay, unless the settings have changed, and plan the next."""
    deployment = service.store.get("deployments", deployment_id)
    if deployment is None or replay_settings(deployment) != settings:
        return
    if running_replay(service, deployment) is None:
        with suppress(Refusal):  # nobody is told of a schedule that cannot be kept
            start_replay(service, deployment, service.clock.now())
        service.request_plan = {}  # no request has started this job
    plan_next(service, deployment)


def next_moment(schedule: Any, after: float) -> float | None:
    """The next full minute that fits, in seconds since the epoch; None where none ever does."""
    begin = datetime.fromtimestamp(after // 60 * 60 + 60, UTC)
    for days in range(DAYS):
        day = (begin + timedelta(days=days)).replace(hour=0, minute=0)
        if _fits(schedule, "month", day.month) and _fits(schedule, "dayOfMonth", day.day) and _fits_week(schedule, day):
            for moment in _minutes(schedule, day):
                if moment >= begin:
                    return moment.timestamp()
    return None


def _minutes(schedule: Any, day: datetime) -> Iterator[datetime]:
    hours = (hour for hour in range(24) if _fits(schedule, "hour", hour))
    minutes = [minute for minute in range(60) if _fits(schedule, "minute", minute)]
    for hour, minute in itertools.product(hours, minutes):
        yield day.replace(hour=hour, minute=minute)


def _fits_week(schedule: Any, day: datetime) -> bool:
    number = day.isoweekday() % 7
    return _fits(schedule, "dayOfWeek", number) or (number == 0 and _fits(schedule, "dayOfWeek", 7))


def _fits(schedule: Any, name: str, number: int) -> bool:
    wanted = schedule.get(name, ["*"]) if isinstance(schedule, Mapping) else []
    words = [str(one) for one in wanted] if isinstance(wanted, list) else []
    return "*" in words or str(number) in words
