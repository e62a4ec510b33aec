"""What people hold in their hands, as typed objects: snake_case, read leniently.

Unknown keys are kept (``model_extra``), absent and null ones are None or empty where nothing depends on them. A key
that is needed and absent raises :class:`KeyMissing`, which names it. Whatever has no class here is reachable as a
plain dict by its operationId. Importing this module imports pydantic.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from airflow_provider.api.answers import Answer
from airflow_provider.api.errors import KeyMissing, NotUnderstood
from airflow_provider.api.moments import aware
from airflow_provider.api.waits import canonical

log = logging.getLogger(__name__)


def _moment(value: Any) -> datetime | None:
    """A timestamp with zone; one without is UTC (wire.md F), one that cannot be read is None."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            log.debug("not a timestamp: %.40r", value)
            return None
    if not isinstance(value, datetime):
        return None
    return aware(value)


def _word(value: Any) -> Any:
    return canonical(value) if isinstance(value, str) else value


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Word = Annotated[str, BeforeValidator(_word)]  # in camelCase, whichever of its three spellings came


class Result(BaseModel):
    """The base: camelCase keys of the service become snake_case attributes."""

    model_config = ConfigDict(
        extra="allow",
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        coerce_numbers_to_str=True,  # changeVersionId was a counter once (wire.md F)
        protected_namespaces=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        own = {one.alias for one in cls.model_fields.values()}
        return {k: v for k, v in data.items() if v is not None or k not in own} if isinstance(data, dict) else data

    @classmethod
    def read(cls, source: Answer | dict[str, Any]) -> Self:
        """The object in an answer, or in a JSON object of a list.

        :raises KeyMissing: names operation and key. :class:`NotUnderstood` where a value has another type.
        """
        data = source.object() if isinstance(source, Answer) else source
        about = source.about() if isinstance(source, Answer) else {"operation": cls.__name__}
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            # Place and kind of each fault, never the value.
            faults = [(".".join(map(str, one["loc"])), one["type"], one["msg"]) for one in error.errors()]
        missing = [place for place, kind, _ in faults if kind == "missing"]
        if missing:
            raise KeyMissing(f"the answer has no key {', '.join(missing)}", **about)
        told = "; ".join(f"{place}: {text}" for place, _, text in faults)
        raise NotUnderstood(f"the answer is not as documented: {told}", **about)


class Health(Result):
    """One of the health lights of a deployment: passing, warning, failing, unknown, unavailable, notStarted."""

    status: str | None = None
    message: str | None = None
    start_date: Moment = None
    end_date: Moment = None


class ServingModel(Result):
    """The model that a deployment serves."""

    id: str | None = None
    type: str | None = None
    target_name: str | None = None
    target_type: str | None = None
    project_id: str | None = None
    deployed_at: Moment = None


class PackageReference(Result):
    """The model package that a deployment serves."""

    id: str | None = None
    name: str | None = None
    registered_model_id: str | None = None


class Governance(Result):
    """What the approval policies say about a deployment."""

    approval_status: str | None = None
    has_opened_change_requests: bool | None = None


class Deployment(Result):
    """getDeployment, listDeployments."""

    id: str
    label: str | None = None
    description: str | None = None
    status: str | None = None
    importance: str | None = None
    created_at: Moment = None
    model: ServingModel | None = None
    model_package: PackageReference | None = None
    governance: Governance | None = None
    opened_change_requests: list[str] = Field(default_factory=list)
    service_health: Health | None = None
    model_health: Health | None = None
    accuracy_health: Health | None = None
    permissions: list[str] = Field(default_factory=list)

    @property
    def model_package_id(self) -> str | None:
        """Id of the champion's package; None where the service does not tell it (it may lag: wire.md K)."""
        return self.model_package.id if self.model_package else None

    @property
    def model_id(self) -> str | None:
        """Id of the champion's model."""
        return self.model.id if self.model else None


class Target(Result):
    """What a model predicts."""

    name: str | None = None
    type: str | None = None
    class_count: int | None = None
    class_names: list[str] = Field(default_factory=list)


class ModelPackage(Result):
    """getModelPackage, getDeploymentChampionModelPackage, getRegisteredModelVersion."""

    id: str
    name: str | None = None
    model_id: str | None = None
    registered_model_id: str | None = None
    registered_model_version: int | None = None
    build_status: str | None = None
    is_archived: bool | None = None
    is_deprecated: bool | None = None
    active_deployment_count: int | None = None
    target: Target | None = None


class Check(Result):
    """One check of a replacement: ``passing``, ``warning`` or ``failing``."""

    status: str | None = None
    message: str | None = None


class ReplacementValidation(Result):
    """validateDeploymentModelReplacement, and the body of a 409 on replaceDeploymentModel."""

    status: str
    message: str | None = None
    checks: dict[str, Check] = Field(default_factory=dict)

    @property
    def unfit(self) -> dict[str, Check]:
        """The checks that did not pass."""
        return {name: check for name, check in self.checks.items() if check.status != "passing"}


class UserOperations(Result):
    """What the asking user may do to a change request."""

    can_update: bool = False
    can_resolve: bool = False
    can_cancel: bool = False
    can_comment: bool = False
    can_review: bool = False


class ChangeRequest(Result):
    """getChangeRequest, createChangeRequest, updateChangeRequest, listChangeRequests."""

    id: str
    status: Word  # pending, approved, changesRequested, resolved, cancelled
    change_version_id: str
    action: Word | None = None
    entity_type: Word | None = None
    entity_id: str | None = None
    change: dict[str, Any] | None = None
    diff: dict[str, Any] | None = None
    comment: str | None = None
    auto_apply: bool | None = None
    num_approvals_required: int | None = None
    user_id: str | None = None
    user_name: str | None = None
    user_operations: UserOperations = Field(default_factory=UserOperations)
    created_at: Moment = None
    updated_at: Moment = None
    processed_at: Moment = None
    status_changed_at: Moment = None
    status_changed_by: str | None = None


class Review(Result):
    """getChangeRequestReview, createChangeRequestReview, listChangeRequestReviews."""

    id: str
    status: Word  # approved, changesRequested, commented
    change_version_id: str
    change_request_id: str | None = None
    comment: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    created_at: Moment = None


class ApprovalPolicy(Result):
    """getApprovalPolicy, createApprovalPolicy, updateApprovalPolicy, listApprovalPolicies."""

    id: str
    name: str | None = None
    active: bool | None = None
    open_requests: int | None = None
    trigger: dict[str, Any] = Field(default_factory=dict)
    review: dict[str, Any] | None = None
    automatic_action: dict[str, Any] | None = None


class JobStatus(Result):
    """getStatus while it answers 200. ``code`` 0 is no error."""

    status: str  # INITIALIZED, RUNNING, COMPLETED, ERROR, ABORTED, EXPIRED
    status_id: str | None = None
    code: int | None = None
    message: str | None = None
    description: str | None = None
    type: str | None = None
    status_type: str | None = None
    created: Moment = None
