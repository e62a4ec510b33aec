"""All that a task on the stage leaves behind, or shows when somebody asks for it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import structlog.testing

from tests.trust.scanning import told

if TYPE_CHECKING:
    from tests.harness import Task

OURS = ("airflow_provider", "httpx", "httpcore")


def kept(made: Task) -> str:
    """Results and XComs, the store, the trigger's row, errors with all that hangs on them, links, rendered fields,
    and the repr of everything that works for the task."""
    shown = [json.dumps([made.xcoms, made.trigger]), *reprs(made.operator), *rendered(made.operator)]
    shown += made.store.values.values() if made.store else []
    shown += [str(link.get_link(made.operator, ti_key=None)) for link in made.operator.operator_extra_links]
    for ending in made.endings:
        shown += [json.dumps(ending.result), told(ending.error), str(ending)]
    return "\n".join(shown)


def reprs(operator: Any) -> list[str]:
    """The operator, and the hook with its client as the operator makes it."""
    from airflow_provider.hooks.datarobot import DataRobotHook

    hook = DataRobotHook(operator.datarobot_conn_id)
    client = hook.get_conn()
    return [*map(repr, (operator, hook, vars(hook), client, client.settings)), str(operator)]


def rendered(operator: Any) -> list[str]:
    """What Airflow stores of the rendered fields, and what it shows on the page of the task."""
    from airflow.providers.common.compat.sdk import redact

    operator.render_template_fields({})
    return [f"{name}: {redact(getattr(operator, name), name)}" for name in operator.template_fields]


@dataclass
class Lines:
    """What was logged, by ordinary loggers and by those of Airflow's tasks, which are of structlog.

    Airflow masks what was rendered as a secret; lines of its own are its business.
    """

    caplog: pytest.LogCaptureFixture
    told: list[Any]

    def clear(self) -> None:
        """Forgets them."""
        self.caplog.clear()
        self.told.clear()

    @property
    def ours(self) -> str:
        """Those of this package and of the HTTP libraries."""
        ordinary = [one for one in self.caplog.records if any(word in one.name for word in OURS)]
        return "\n".join([*map(self.caplog.handler.format, ordinary), *map(repr, self.told)])


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    """Every line from now on, down to DEBUG, whatever level Airflow is told."""
    caplog.set_level(logging.DEBUG)
    configured, capture = structlog.get_config(), structlog.testing.LogCapture()
    plain = structlog.make_filtering_bound_logger(logging.DEBUG)
    structlog.configure(processors=[capture], wrapper_class=plain, cache_logger_on_first_use=False)
    yield Lines(caplog, capture.entries)
    structlog.configure(**configured)
