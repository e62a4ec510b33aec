"""Notification channels: CRUD, secrets, mail addresses that are verified, tests of webhooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from airflow_provider.emulator.door import EmulatorDoor
from tests.emulator.demo import REQUESTER, taken
from tests.receiver import Receiver, receiving

SECRET = "s3cret-of-the-hook"
HEADERS = [{"name": "X-Team", "value": "private-header"}]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def webhook(client: httpx.Client, url: str = "http://127.0.0.1:9/", **more: Any) -> dict[str, Any]:
    body = {"channelType": "Webhook", "name": "hook", "payloadUrl": url, "secretToken": SECRET} | more
    answer = client.post("notificationChannels/", json=body)
    assert answer.status_code == 201, answer.text
    return taken(answer)


def test_a_channel_from_its_creation_to_its_end(
    emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client
) -> None:
    """Seed 001:9-268: POST 201, GET 200, PUT 204, DELETE 204; the answer has every key of the table."""
    made = webhook(requester, contentType="application/json", customHeaders=HEADERS, validateSsl=True)
    assert set(made) == {
        "channelType", "contentType", "createdAt", "customHeaders", "emailAddress", "id", "languageCode",
        "lastNotificationAt", "name", "orgId", "payloadUrl", "policyCount", "secretToken", "uid", "updatedAt",
        "validateSsl",
    }  # fmt: skip
    assert (made["name"], made["uid"], made["policyCount"]) == ("hook", REQUESTER, 0)
    path = f"notificationChannels/{made['id']}/"
    assert taken(requester.get(path)) == made
    assert [one["id"] for one in taken(requester.get("notificationChannels/?namePart=oo"))["data"]] == [made["id"]]
    assert taken(requester.get("notificationChannels/?namePart=zz"))["data"] == []
    answer = requester.put(path, json={"name": "other", "payloadUrl": "http://127.0.0.1:9/x"})
    assert (answer.status_code, answer.content) == (204, b"")
    now = taken(requester.get(path))
    assert (now["name"], now["payloadUrl"], now["channelType"]) == ("other", "http://127.0.0.1:9/x", "Webhook")
    assert now["updatedAt"] is not None
    assert reviewer.get(path).status_code == 404
    assert requester.delete(path).status_code == 204
    assert requester.get(path).status_code == 404
    assert requester.put(path, json={}).status_code == 404
    assert emulator.count("notificationChannelDeleted", made["id"]) == 1


def test_a_second_equal_post_makes_a_second_channel(requester: httpx.Client) -> None:
    """No page says that a name is taken once."""
    assert webhook(requester)["id"] != webhook(requester)["id"]
    listed = taken(requester.get("notificationChannels/?offset=0&limit=1"))
    assert (listed["count"], listed["totalCount"]) == (1, 2)
    assert "offset=1" in listed["next"]


def test_a_channel_with_an_organisation_is_seen_and_not_changed_by_others(
    requester: httpx.Client, reviewer: httpx.Client
) -> None:
    path = f"notificationChannels/{webhook(requester, orgId='64ff00000000000000000001')['id']}/"
    assert reviewer.get(path).status_code == 200
    assert reviewer.put(path, json={"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "channelType"),
        ({"channelType": "Pigeon", "name": "x"}, "channelType"),
        ({"channelType": "Webhook", "name": "x" * 101}, "name"),
        ({"channelType": "Webhook", "name": "x", "contentType": "text/plain"}, "contentType"),
        ({"channelType": "Webhook", "name": "x", "customHeaders": [{"name": "a"}]}, "customHeaders"),
        ({"channelType": "Email", "name": "x", "emailAddress": "a@example.com"}, "verificationCode"),
    ],
)
def test_what_the_table_refuses(requester: httpx.Client, body: dict[str, Any], field: str) -> None:
    """Seed 001:1480-1507."""
    answer = requester.post("notificationChannels/", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["errors"]


@pytest.mark.parametrize(
    ("value", "token", "headers"),
    [
        ("shown", SECRET, HEADERS),
        ("masked", "********", [{"name": "X-Team", "value": "********"}]),
        ("null", None, None),
    ],
)
def test_switch_channel_secrets(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, token: str | None, headers: Any
) -> None:
    emulator.switches(channel_secrets=value)
    made = webhook(requester, customHeaders=HEADERS)
    assert (made["secretToken"], made["customHeaders"]) == (token, headers)


@pytest.mark.parametrize(("value", "kept"), [("replace", None), ("merge", "http://127.0.0.1:9/")])
def test_switch_notification_put(emulator: EmulatorDoor, requester: httpx.Client, value: str, kept: str | None) -> None:
    emulator.switches(notification_put=value)
    path = f"notificationChannels/{webhook(requester)['id']}/"
    requester.put(path, json={"name": "other"})
    now = taken(requester.get(path))
    assert (now["name"], now["payloadUrl"]) == ("other", kept)


@pytest.mark.parametrize(
    ("value", "status", "left"), [("refuse_409", 409, 1), ("refuse_422", 422, 1), ("deletes_policies", 204, 0)]
)
def test_switch_delete_used_channel(
    emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int, left: int
) -> None:
    emulator.switches(delete_used_channel=value)
    made = webhook(requester)
    requester.post("notificationPolicies/", json={"channelId": made["id"], "name": "p"})
    assert requester.delete(f"notificationChannels/{made['id']}/").status_code == status
    assert len(taken(requester.get("notificationPolicies/"))["data"]) == left


# --- mail ---------------------------------------------------------------------------------------------------------


def code_for(emulator: EmulatorDoor, client: httpx.Client, address: str) -> str:
    body = {"channelType": "Email", "emailAddress": address, "name": "mail"}
    answer = client.post("notificationEmailChannelVerification/", json=body)
    assert answer.status_code == 200
    assert set(answer.json()) == {"notificationId"}
    mails = [one for one in emulator.world("mails").values() if one["to"] == address]
    found = re.search(r"\d{6}", mails[-1]["text"])
    assert found is not None
    return found[0]


def is_right(client: httpx.Client, address: str, code: str) -> bool:
    body = {"emailAddress": address, "verificationCode": code}
    answer = client.post("notificationEmailChannelVerificationStatus/", json=body)
    assert answer.status_code == 200
    return bool(answer.json()["status"])


def post_mail(client: httpx.Client, code: str) -> httpx.Response:
    body = {"channelType": "Email", "name": "mail", "emailAddress": "a@example.com", "verificationCode": code}
    return client.post("notificationChannels/", json=body)


def test_a_mail_address_is_verified_by_a_mailed_code(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """Seed 001:270-352: a six-digit code is mailed; the status operation only checks."""
    code = code_for(emulator, requester, "a@example.com")
    assert is_right(requester, "a@example.com", code)
    assert not is_right(requester, "b@example.com", code)
    made = post_mail(requester, code)
    assert made.status_code == 201
    path = f"notificationChannels/{made.json()['id']}/"
    wrong = {"emailAddress": "b@example.com", "verificationCode": "x"}
    assert requester.put(path, json=wrong).status_code == 400  # seed 001:265


@pytest.mark.parametrize(("value", "status"), [("refuse_400", 400), ("refuse_422", 422)])
def test_switch_email_code_wrong(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(email_code_wrong=value)
    assert post_mail(requester, "000000x").status_code == status


@pytest.mark.parametrize(("value", "again"), [("many", True), ("once", False)])
def test_switch_email_code_uses(emulator: EmulatorDoor, requester: httpx.Client, value: str, again: bool) -> None:
    emulator.switches(email_code_uses=value)
    code = code_for(emulator, requester, "a@example.com")
    assert is_right(requester, "a@example.com", code)
    assert is_right(requester, "a@example.com", code) is again


@pytest.mark.parametrize(("value", "status"), [("always", 422), ("new_address", 204)])
def test_switch_email_update_code(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    emulator.switches(email_update_code=value)
    made = taken(post_mail(requester, code_for(emulator, requester, "a@example.com")))
    answer = requester.put(f"notificationChannels/{made['id']}/", json={"name": "x", "emailAddress": "a@example.com"})
    assert answer.status_code == status


# --- tests of webhooks --------------------------------------------------------------------------------------------


def run_test(client: httpx.Client, url: str, **more: Any) -> str:
    body = {"channelType": "Webhook", "name": "trial", "payloadUrl": url, "secretToken": SECRET} | more
    answer = client.post("notificationWebhookChannelTests/", json=body)
    assert answer.status_code == 201
    return str(answer.json()["notificationId"])


def result(client: httpx.Client, key: str) -> dict[str, Any]:
    return taken(client.get(f"notificationWebhookChannelTests/{key}/"))


def test_a_test_arrives_signed_with_its_headers(
    emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver
) -> None:
    """wire.md I: DR-Signature is the HMAC-SHA1 hexdigest of the body; {event, event_type, timestamp}."""
    key = run_test(requester, receiver.url, customHeaders=HEADERS)
    came = receiver.next()
    assert came.path == "/hook?from=datarobot"
    assert came.signed_with(SECRET)
    assert not came.signed_with("another")
    assert (came.headers["x-team"], came.headers["content-type"]) == ("private-header", "application/json")
    assert came.json()["event_type"] == "misc.webhook_connection_test"
    assert came.json()["event"]["uid"] == REQUESTER
    emulator.deliveries()
    found = result(requester, key)
    assert found["status"] == found["notificationLog"]["status"] == "sent"
    assert json.loads(found["notificationLog"]["response"])["statusCode"] == "200"
    assert json.loads(found["notificationLog"]["response"])["body"] == "thanks"
    assert taken(requester.get("notificationLogs/?offset=0&limit=10"))["data"] == []


def test_without_a_secret_there_is_no_signature(requester: httpx.Client, receiver: Receiver) -> None:
    requester.post(
        "notificationWebhookChannelTests/",
        json={"channelType": "Webhook", "name": "trial", "payloadUrl": receiver.url},
    )
    assert "dr-signature" not in receiver.next().headers


@pytest.mark.parametrize("value", ["payload_field", "fields"])
def test_switch_webhook_form(emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver, value: str) -> None:
    emulator.switches(webhook_form=value)
    run_test(requester, receiver.url, contentType="application/x-www-form-urlencoded")
    came = receiver.next()
    fields = dict(httpx.QueryParams(came.body.decode()))
    payload = json.loads(fields["payload"]) if value == "payload_field" else fields
    assert payload["event_type"] == "misc.webhook_connection_test"
    assert came.signed_with(SECRET)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://192.0.2.1/", "loopback addresses only"),
        ("http://example.com/", "loopback addresses only"),
        ("http://127.0.0.1.example.com/", "loopback addresses only"),
        ("http://user@192.0.2.1#@127.0.0.1/", "loopback addresses only"),
        ("file:///etc/passwd", "loopback addresses only"),
        ("http://127.0.0.1:port/", "cannot be read"),
        ("http://127.0.0.1:9/", "did not answer"),
    ],
)
def test_what_is_not_sent_says_why(emulator: EmulatorDoor, requester: httpx.Client, url: str, why: str) -> None:
    key = run_test(requester, url)
    emulator.deliveries()
    found = result(requester, key)
    assert found["status"] == "failed"
    assert why in found["notificationLog"]["response"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_receiver_that_refuses(
    emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver, status: int
) -> None:
    """A redirect is not followed."""
    receiver.status = status
    key = run_test(requester, receiver.url)
    receiver.next()
    emulator.deliveries()
    found = result(requester, key)
    assert found["status"] == "failed"
    assert json.loads(found["notificationLog"]["response"])["statusCode"] == str(status)


@pytest.mark.parametrize(
    ("value", "words"),
    [("sent", ("sent", "failed")), ("success", ("success", "error")), ("upper", ("SUCCEEDED", "FAILED"))],
)
def test_switch_notification_words(
    emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver, value: str, words: tuple[str, str]
) -> None:
    emulator.switches(notification_words=value)
    keys = [run_test(requester, url) for url in (receiver.url, "http://192.0.2.1/")]
    emulator.deliveries()
    assert tuple(result(requester, key)["status"] for key in keys) == words


@pytest.mark.parametrize(("value", "status"), [("shown", 200), ("404", 404)])
def test_switch_webhook_test_pending(emulator: EmulatorDoor, requester: httpx.Client, value: str, status: int) -> None:
    """A receiver that accepts the connection and never answers keeps the test pending."""
    import socket

    emulator.switches(webhook_test_pending=value)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        key = run_test(requester, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        answer = requester.get(f"notificationWebhookChannelTests/{key}/")
        assert answer.status_code == status
        if status == 200:
            assert answer.json()["status"] == "pending"
            assert answer.json()["notificationLog"]["response"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"channelType": "Email"}, "failed"),
        ({"channelType": "Email", "emailAddress": "a@example.com"}, "sent"),
        ({"channelType": "Slack"}, "failed"),
        ({"channelType": "Webhook"}, "failed"),
    ],
)
def test_other_channels_can_be_tried_out_too(
    emulator: EmulatorDoor, requester: httpx.Client, body: dict[str, Any], status: str
) -> None:
    """Seed 001:2100: the type may be any; everything but type and name may be left out."""
    answer = requester.post("notificationWebhookChannelTests/", json={"name": "trial", **body})
    assert answer.status_code == 201
    assert result(requester, answer.json()["notificationId"])["status"] == status


def test_a_test_belongs_to_who_asked_for_it(requester: httpx.Client, reviewer: httpx.Client) -> None:
    key = run_test(requester, "http://192.0.2.1/")
    assert reviewer.get(f"notificationWebhookChannelTests/{key}/").status_code == 404


def test_no_secret_stands_in_the_log_or_in_the_world(
    emulator: EmulatorDoor, requester: httpx.Client, receiver: Receiver
) -> None:
    """Rule 27."""
    webhook(requester, receiver.url, customHeaders=HEADERS)
    run_test(requester, receiver.url, customHeaders=HEADERS)
    signature = receiver.next().headers["dr-signature"]
    code = code_for(emulator, requester, "a@example.com")
    post_mail(requester, code)
    emulator.deliveries()
    log = json.dumps(emulator.log())
    assert len(emulator.log()) == 4
    assert [word for word in (SECRET, "private-header", code, signature) if word in log] == []
    world = json.dumps([emulator.world(table) for table in ("notificationChannels", "notifications")])
    assert [word for word in (SECRET, "private-header", signature) if word in world] == []
