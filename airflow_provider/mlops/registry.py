"""The model registry: registered models and their versions (model packages), found by name and never by place.

A version is a model package; both ids are the same. What we make carries a mark at the end of its description, by which
it is found again after a lost answer: the service makes a second version for a second equal request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider.api.errors import DataRobotError, InvalidCall
from airflow_provider.mlops.naming import NotOne, the_one

if TYPE_CHECKING:
    from airflow_provider.api.client import Client

PAGE = 100
NAME_LENGTH, DESCRIPTION_LENGTH = 1024, 2048  # the page of createModelPackageFromLeaderboard
STAGES = ("Registered", "Development", "Staging", "Production", "Archived")  # seed 004:938
ROLES = ("OWNER", "USER", "OBSERVER", "NO_ROLE")  # seed 004:1401; NO_ROLE takes a role away (assumed)
RECIPIENTS = ("user", "group", "organization")
UPDATABLE: Mapping[str, str] = {"name": "name", "description": "description", "is_global": "isGlobal"}


class NotBuilt(DataRobotError):
    """The build of a model package has failed, or is under way where that is of no use."""


class ChangeNotSeen(DataRobotError):
    """The service accepted a change, and what was changed is as before."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which version of a registered model is meant; all that is given must fit.

    :param newest: of several that fit the one with the highest number; else several are an error.
    """

    number: int | None = None
    name: str | None = None
    stage: str | None = None
    newest: bool = False

    def __str__(self) -> str:
        said = {"number": self.number, "named": self.name, "in stage": self.stage}
        return "versions " + " and ".join(f"{word} {value!r}" for word, value in said.items() if value is not None)


def models_named(client: Client, name: str) -> list[dict[str, Any]]:
    """Registered models of exactly this name, without archived ones (operation listRegisteredModels)."""
    listed = client.iterate("listRegisteredModels", search=name, limit=PAGE, offset=0)
    return [one for one in listed if one.get("name") == name and not one.get("isArchived")]


def model(client: Client, model_id: str | None, name: str | None) -> dict[str, Any]:
    """A registered model by its id or its name; raises :class:`NotOne`."""
    if model_id is None:
        return the_one(models_named(client, str(name)), f"registered models named {name!r}")
    found: dict[str, Any] = client.call("getRegisteredModel", registeredModelId=model_id).object()
    return found


def version(client: Client, model_id: str, wanted: Wanted) -> dict[str, Any]:
    """The version of a registered model that is meant (operation listRegisteredModelVersions).

    The service filters by stage. Where a version tells its own stage, that counts too.
    """
    filters = {"stage": wanted.stage} if wanted.stage else {}
    listed = client.iterate("listRegisteredModelVersions", registeredModelId=model_id, limit=PAGE, offset=0, **filters)
    fitting = [one for one in listed if _fits(one, wanted)]
    if wanted.newest and fitting:
        return max(fitting, key=lambda one: int(one.get("registeredModelVersion") or 0))
    if len(fitting) > 1:
        numbers = ", ".join(sorted(str(one.get("registeredModelVersion")) for one in fitting))
        raise NotOne(f"{len(fitting)} {wanted} of registered model {model_id} fit: {numbers}; say pick='newest'?")
    return the_one(fitting, f"{wanted} of registered model {model_id}")


def _fits(one: Mapping[str, Any], wanted: Wanted) -> bool:
    return (
        not one.get("isArchived")
        and wanted.number in (None, one.get("registeredModelVersion"))
        and wanted.name in (None, one.get("name"))
        and (wanted.stage is None or one.get("stage", wanted.stage) == wanted.stage)
    )


def packages_marked(client: Client, model_id: str, mark: str) -> list[dict[str, Any]]:
    """Packages of a model whose description carries the mark (operation listModelPackages)."""
    listed = client.iterate("listModelPackages", modelId=model_id, limit=PAGE, offset=0)
    return [one for one in listed if mark in str((one.get("modelDescription") or {}).get("description"))]


def creation(
    model_id: str,
    *,
    registered_model_id: str | None,
    registered_model_name: str | None,
    name: str | None,
    description: str,
    prediction_threshold: float | None = None,
) -> dict[str, Any]:
    """The body of createModelPackageFromLeaderboard; what is None is left out."""
    given = {
        "modelId": model_id,
        "registeredModelId": registered_model_id,
        "registeredModelName": registered_model_name,
        "name": name,
        "description": description,
        "predictionThreshold": prediction_threshold,
    }
    return {key: value for key, value in given.items() if value is not None}


def told(package: Mapping[str, Any]) -> dict[str, Any]:
    """A version in the words of our results."""
    target = package.get("target") or {}
    return {
        "model_package_id": package.get("id"),
        "registered_model_id": package.get("registeredModelId"),
        "version": package.get("registeredModelVersion"),
        "name": package.get("name"),
        "model_id": package.get("modelId"),
        "target": target.get("name"),
        "target_type": target.get("type"),
        "build_status": package.get("buildStatus"),
    }


def last_words(client: Client, package_id: str) -> str:
    """The last line of a package's build log; '' where it has none, or it cannot be read."""
    try:
        lines = list(client.iterate("listModelPackageModelLogs", modelPackageId=package_id, limit=PAGE, offset=0))
    except DataRobotError:
        return ""
    return str(max(lines, key=lambda one: float(one.get("time") or 0)).get("message") or "") if lines else ""


def refuse_unusable(package: Mapping[str, Any]) -> None:
    """Raises :class:`NotBuilt` for a package that is archived, or whose build failed."""
    named = f"model package {package.get('id')} ({package.get('name')!r})"
    if package.get("isArchived"):
        raise NotBuilt(f"{named} is archived")
    if package.get("buildStatus") == "failed":
        raise NotBuilt(f"the build of {named} has failed")


# --- sharing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for a user (by name or id), a group or an organisation (by id)."""

    role: str
    kind: str
    id: str | None = None
    username: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Grant:
        """From ``role``, ``shareRecipientType`` (default user) and ``username`` or ``id``; InvalidCall for others."""
        unknown = set(given) - {"role", "shareRecipientType", "username", "id"}
        kind, role = str(given.get("shareRecipientType", "user")), str(given.get("role", "")).upper()
        key, username = given.get("id"), given.get("username")
        if unknown or kind not in RECIPIENTS or role not in ROLES or bool(key) == bool(username):
            raise InvalidCall(
                f"a role needs role ({', '.join(ROLES)}), shareRecipientType ({', '.join(RECIPIENTS)}; default user) "
                f"and either id or username, not {dict(given)!r}"
            )
        if username and kind != "user":
            raise InvalidCall(f"a {kind} is named by its id, not by a username: {dict(given)!r}")
        return cls(role, kind, str(key) if key else None, str(username) if username else None)

    def body(self) -> dict[str, str]:
        """As the service takes it."""
        who = {"id": self.id} if self.id else {"username": self.username}
        return {"role": self.role, "shareRecipientType": self.kind, **{k: v for k, v in who.items() if v}}

    def is_held(self, roles: Sequence[Mapping[str, Any]]) -> bool:
        """Whether this is so already."""
        held = [str(one.get("role")).upper() for one in roles if self._means(one)]
        return not held if self.role == "NO_ROLE" else held == [self.role]

    def _means(self, one: Mapping[str, Any]) -> bool:
        if one.get("shareRecipientType") != self.kind:
            return False
        return one.get("id") == self.id if self.id else one.get("name") == self.username


def roles(client: Client, model_id: str) -> Iterator[dict[str, Any]]:
    """Who has which role on a registered model (operation listRegisteredModelSharedRoles)."""
    return client.iterate("listRegisteredModelSharedRoles", registeredModelId=model_id, limit=PAGE, offset=0)
