"""What goes wrong on the way: small storms all along, and four larger things, each once."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.soak.work import SPEED, Tenant

if TYPE_CHECKING:
    from tests.soak.stage import Stage

PAGE = "<html><body><h1>Please log in</h1></body></html>"
STORMS: Mapping[str, Mapping[str, Any]] = {
    "429 with Retry-After": {"kind": "retry_after", "seconds": 10 * SPEED},
    "503": {"kind": "status", "code": 503},
    "reset connections": {"kind": "reset"},
    "cut answers": {"kind": "truncated"},
    "answers 3 s late": {"kind": "delay", "seconds": 3},
    "502, HTML page": {"kind": "html_page"},
    "200, HTML page": {"kind": "status", "code": 200, "body": PAGE, "content_type": "text/html"},
    "empty bodies": {"kind": "empty_body"},
}
REQUESTS = (10, 80)  # looks that a storm meets
STORM_SECONDS = (20.0, 50.0)  # from one to the next
OUTAGE_SECONDS = 120.0
REFUSED_SECONDS = 12.0
REQUESTER = "64a000000000000000000001"


@dataclass
class Spell:
    """Something larger: when it begins and ends (seconds since the start), and what it does then."""

    name: str
    tenant: Tenant
    begins: float
    ends: float
    begin: Callable[[], object]
    end: Callable[[], object]
    state: str = "ahead"


@dataclass
class Weather:
    """All of it; ``tick`` does what is due."""

    tenants: list[Tenant]
    spells: list[Spell]
    rng: random.Random
    told: list[dict[str, Any]] = field(default_factory=list)
    met: dict[str, int] = field(default_factory=dict)
    _next: float = 0.0
    _set: list[tuple[str, Tenant, str]] = field(default_factory=list)

    def tick(self, now: float, since: float) -> None:
        """``now`` in seconds since the start, which was at ``since``."""
        for spell in self.spells:
            if spell.state == "ahead" and now >= spell.begins:
                spell.state = "on"
                self.told.append({"name": spell.name, "tenant": spell.tenant.name, "from": since + now})
                spell.begin()
            elif spell.state == "on" and now >= spell.ends:
                self._end(spell, since + now)
        if now >= self._next:
            self._next = now + self.rng.uniform(*STORM_SECONDS)
            self.clear()
            self._storm()

    def end(self, moment: float) -> None:
        """Nothing goes wrong any more."""
        for spell in self.spells:
            if spell.state == "on":
                self._end(spell, moment)
        self.clear()

    def _end(self, spell: Spell, moment: float) -> None:
        spell.state = "over"
        spell.end()
        next(one for one in self.told if one["name"] == spell.name)["to"] = moment

    def clear(self) -> None:
        """No storm any more; of those whose service cannot be asked now, later."""
        for one in [one for one in self._set if not one[1].away]:
            name, tenant, fault = one
            met = tenant.control("DELETE", f"faults/{fault}", None)["fired"]
            self.met[name] = self.met.get(name, 0) + met
            self._set.remove(one)

    def _storm(self) -> None:
        tenant, name = self.rng.choice(self.tenants), self.rng.choice(list(STORMS))
        if not tenant.away:
            fault = {**STORMS[name], "method": "GET", "times": self.rng.randint(*REQUESTS)}
            self._set.append((name, tenant, tenant.control("POST", "faults", fault)["id"]))


def spells(stage: Stage, seconds: float) -> list[Spell]:
    """The larger things in a run of so many seconds: in its first half, the second is where nothing may grow."""
    first, second = stage.tenants
    proxy, stop, set_token = stage.proxy, stage.services[0].child.signal, stage.set_connection
    outage = min(OUTAGE_SECONDS, seconds / 10)

    def away(tenant: Tenant, value: bool, act: Callable[[], object]) -> None:
        tenant.away = value
        act()

    def renew(tenant: Tenant) -> None:
        tenant.control("PATCH", f"world/users/{REQUESTER}", {"token": tenant.token})

    def new_token(tenant: Tenant) -> None:
        tenant.token = f"{tenant.name}-token-of-later"

    def rotate(tenant: Tenant) -> None:
        new_token(tenant)
        set_token(tenant)
        renew(tenant)

    def refuse(tenant: Tenant) -> None:
        new_token(tenant)
        renew(tenant)

    return [
        Spell("hangs", first, 0.12 * seconds, 0.12 * seconds + outage,
              lambda: away(first, True, lambda: stop(signal.SIGSTOP)),
              lambda: away(first, False, lambda: stop(signal.SIGCONT))),
        Spell("is gone", second, 0.22 * seconds, 0.22 * seconds + outage,
              lambda: away(second, True, proxy.down), lambda: away(second, False, proxy.up)),
        Spell("has a new token", first, 0.32 * seconds, 0.32 * seconds, lambda: rotate(first), lambda: None),
        Spell("refuses the token", second, 0.40 * seconds, 0.40 * seconds + REFUSED_SECONDS,
              lambda: refuse(second), lambda: set_token(second)),
    ]  # fmt: skip
