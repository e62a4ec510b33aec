"""People beside a pipeline: someone who looks at the open change requests now and then, and acts on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

GLANCE = 0.05  # seconds between two looks of a person
Deed = Callable[["Desk", dict[str, Any]], None]


class Desk:
    """What a person can do, with the rights of one token; raw HTTP, nothing of our client."""

    def __init__(self, endpoint: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{endpoint}/", headers=headers, verify=False)  # noqa: S501 - plain HTTP
        self.done: list[str] = []

    def requests(self) -> list[dict[str, Any]]:
        answer = self._http.get("changeRequests/", params={"entityType": "deployment"})
        return [one for one in answer.raise_for_status().json()["data"] if one["status"] == "pending"]

    def review(self, request: dict[str, Any], status: str, comment: str = "", version: str | None = None) -> None:
        body = {"changeVersionId": version or request["changeVersionId"], "status": status, "comment": comment}
        self._http.post(f"changeRequests/{request['id']}/reviews/", json=body).raise_for_status()

    def set_status(self, request: dict[str, Any], status: str) -> None:
        self._http.patch(f"changeRequests/{request['id']}/status/", json={"status": status}).raise_for_status()

    def ask(self, deployment_id: str, package_id: str, reason: str = "accuracy", **fields: Any) -> dict[str, Any]:
        body = {
            "entityType": "deployment",
            "entityId": deployment_id,
            "action": "replaceModelPackage",
            "change": {"modelPackageId": package_id, "replacementReason": reason},
            "autoApply": False,
            **fields,
        }
        request: dict[str, Any] = self._http.post("changeRequests/", json=body).raise_for_status().json()
        return request

    def replace(self, deployment_id: str, package_id: str) -> None:
        body = {"modelPackageId": package_id, "reason": "OTHER"}
        self._http.patch(f"deployments/{deployment_id}/model/", json=body).raise_for_status()

    def edit(self, request: dict[str, Any], **fields: Any) -> None:
        self._http.patch(f"changeRequests/{request['id']}/", json=fields).raise_for_status()

    def close(self) -> None:
        self._http.close()


def approve(desk: Desk, request: dict[str, Any]) -> None:
    desk.review(request, "approved", "looks good")


def ask_for_changes(desk: Desk, request: dict[str, Any]) -> None:
    desk.review(request, "changesRequested", "not with this model")


def cancel(desk: Desk, request: dict[str, Any]) -> None:
    desk.set_status(request, "cancelled")


@contextmanager
def person(endpoint: str, token: str, deed: Deed) -> Iterator[Desk]:
    """Someone who does ``deed`` to each pending request once, from now until the block ends."""
    desk, home = Desk(endpoint, token), threading.Event()
    faults: list[Exception] = []

    def work() -> None:
        while not home.wait(GLANCE):
            try:
                for request in desk.requests():
                    if request["id"] not in desk.done:
                        desk.done.append(request["id"])
                        deed(desk, request)
            except Exception as error:
                faults.append(error)
                return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        home.set()
        thread.join()
        desk.close()
    if faults:
        raise faults[0]
