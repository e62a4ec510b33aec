"""The doors of ``/__emulator__/`` to stored rows: predictions, actuals, and how the world's predictions came out.

``POST predictions/{deploymentId}`` takes either rows, ``{"data": [{"associationId"?, "predicted", "timestamp"?,
"classes"?, "forecastDistance"?, "batchId"?, "features"?, "humilityRules"?}]}``, or a wish, ``{"rows": 1000, "start"?,
"end"?, "prefix"?, "seed"?, "drift"?}``: so many made up, spread evenly from start to end (default: the day that ends
now), with ids ``PREFIX0``, ``PREFIX1``, ... ``drift`` gives them feature values as in the baseline of the model's
training, but for this share of the rows, which come from its other end. Both take ``modelId`` (default: the champion),
``rowsPerRequest`` (default 100) and ``request``: how their requests went, ``{"statusCode"?, "executionTime"?,
"responseTime"?, "consumer"?, "remoteIp"?, "hostIp"?, "cached"?}``. ``{"requests": [...]}`` stores requests alone, each
as in ``request``, with ``timestamp``, ``rows`` (default 0) and ``batchId``: those that failed, for example.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from airflow_provider.emulator import seeds
from airflow_provider.emulator.behaviour import accounts
from airflow_provider.emulator.behaviour import predictions as stored
from airflow_provider.emulator.behaviour.baselines import with_features
from airflow_provider.emulator.behaviour.moments import BadMoment, seconds
from airflow_provider.emulator.behaviour.predictions import Asked, Prediction
from airflow_provider.emulator.clock import is_number, iso
from airflow_provider.emulator.doors import BadRequest, Missing, only
from airflow_provider.emulator.service import Service

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_provider.emulator.store import Record

WORDS = ("data", "rows", "start", "end", "prefix", "seed", "modelId", "rowsPerRequest", "request", "requests", "drift")
REQUEST = {
    "statusCode": "status",
    "executionTime": "execution",
    "responseTime": "response",
    "consumer": "consumer",
    "remoteIp": "remote",
    "hostIp": "host",
    "cached": "cached",
}


async def predictions(service: Service, request: Request, body: dict[str, Any]) -> Any:
    """How many predictions are stored; with a body, store some first."""
    deployment = _deployment(service, request)
    if body:
        only(body, *WORDS)
        package = service.store.tables["packages"][deployment["modelPackageId"]]
        model = str(body.get("modelId", package["modelId"]))
        for moment, count, asked, batch in _requests(service, body.get("requests", [])):
            stored.add_request(service, deployment["id"], model, moment, count, asked, batch)
        if "requests" not in body:
            rows = _given(service, body["data"]) if "data" in body else _made_up(service, package, body)
            per_request = _whole(body, "rowsPerRequest", stored.PER_REQUEST)
            stored.add(service, deployment["id"], model, rows, per_request, _asked(body.get("request", {})))
        service.store.touch()
        service.save()
    return stored.counts(service, deployment["id"])


async def actuals(service: Service, request: Request, _: dict[str, Any]) -> Any:
    """The account of a deployment's actuals, if asked for with every id."""
    deployment = _deployment(service, request)
    found = accounts.account(service, deployment["id"])
    if request.query_params.get("ids") == "true":
        found["acceptedPerId"] = accounts.accepted_per_id(service, deployment["id"])
    if request.query_params.get("values") == "true":
        found["values"] = accounts.stored_values(service, deployment["id"])
    return found


async def outcomes(service: Service, request: Request, _: dict[str, Any]) -> Any:
    """How predictions of the world came out, of those made from start until end (both optional, RFC 3339)."""
    deployment = _deployment(service, request)
    start = _moment(request.query_params.get("start"), "start", float("-inf"))
    end = _moment(request.query_params.get("end"), "end", float("inf"))
    rows = seeds.outcomes(service.world, service.started, deployment["id"])
    return {
        "data": [
            {"associationId": association, "actualValue": outcome, "predictedAt": iso(moment)}
            for moment, association, outcome in rows
            if start <= moment < end
        ]
    }


def _deployment(service: Service, request: Request) -> Record:
    deployment = service.store.get("deployments", request.path_params["id"])
    if deployment is None:
        raise Missing("no such deployment")
    return deployment


def _given(service: Service, data: Any) -> list[Prediction]:
    for one in _objects("data", data):
        if not is_number(one.get("predicted")) and not isinstance(one.get("classes"), dict):
            raise BadRequest(f"each prediction needs predicted, a number, or classes, an object: {one!r}")
    return [
        Prediction(
            _moment(one.get("timestamp"), "timestamp", service.clock.now()),
            one.get("associationId"),
            one.get("predicted"),
            one.get("classes"),
            one.get("forecastDistance"),
            one.get("batchId"),
            one.get("features"),
            tuple(one.get("humilityRules", ())),
        )
        for one in data
    ]


def _requests(service: Service, data: Any) -> Iterator[tuple[float, int, Asked, str | None]]:
    for one in _objects("requests", data):
        moment = _moment(one.get("timestamp"), "timestamp", service.clock.now())
        asked = _asked({name: value for name, value in one.items() if name not in ("timestamp", "rows", "batchId")})
        yield moment, int(one.get("rows", 0)), asked, one.get("batchId")


def _asked(given: dict[str, Any]) -> Asked:
    only(given, *REQUEST)
    return Asked(**{REQUEST[name]: value for name, value in given.items()})


def _objects(name: str, data: Any) -> list[dict[str, Any]]:
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise BadRequest(f"{name} must be a list of objects")
    return data


def _made_up(service: Service, package: Record, body: dict[str, Any]) -> Iterator[Prediction]:
    end = _moment(body.get("end"), "end", service.clock.now())
    start = _moment(body.get("start"), "start", end - seeds.DAY)
    count, seed = _whole(body, "rows", None), _whole(body, "seed", 1)
    rows = stored.made_up(package["target"], count, start, end, str(body.get("prefix", "row-")), seed)
    if "drift" not in body:
        return rows
    baseline = service.store.get("baselines", package["id"])
    if baseline is None or not is_number(body["drift"]):
        raise BadRequest("drift must be a number from 0 to 1, of a model whose training has a baseline")
    return with_features(rows, baseline, body["drift"], seed)


def _whole(body: dict[str, Any], name: str, default: int | None) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadRequest(f"{name} must be a whole number from 1 on, not {value!r}")
    return value


def _moment(text: str | None, name: str, default: float) -> float:
    if text is None:
        return default
    try:
        return seconds(text, naive_is_utc=True)
    except BadMoment as fault:
        raise BadRequest(f"{name} {fault}") from None
