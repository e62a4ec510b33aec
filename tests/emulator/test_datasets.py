"""Datasets of the catalog: multipart upload, versions, processing state, download, deletion."""

from __future__ import annotations

import csv
import io
import socket
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider.emulator.counting import LineCounter
from airflow_provider.emulator.door import EmulatorDoor
from airflow_provider.emulator.server import running
from airflow_provider.emulator.service import Service
from tests.emulator.demo import taken

CSV = b"id,outcome\n1,yes\n2,no\n"


def upload(client: httpx.Client, content: bytes = CSV, to: str = "datasets/fromFile/", **fields: str) -> httpx.Response:
    return client.post(to, files={"file": ("visits.csv", content, "text/csv")}, data=fields)


def uploaded(emulator: EmulatorDoor, client: httpx.Client, content: bytes = CSV) -> str:
    """A dataset that is ready."""
    made = taken(upload(client, content))
    emulator.advance(6)
    return str(made["catalogId"])


def test_an_upload_is_a_job(origin: str, emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md J: 202 {catalogId, catalogVersionId, statusId} and Location; 303 to datasets/{catalogId}/."""
    answer = upload(requester, categories="PREDICTION")
    made = answer.json()
    assert answer.status_code == 202
    assert set(made) == {"catalogId", "catalogVersionId", "statusId"}
    assert answer.headers["Location"] == f"{origin}/api/v2/status/{made['statusId']}/"
    path = f"datasets/{made['catalogId']}/"
    seen = taken(requester.get(path))
    assert (seen["processingState"], seen["rowCount"], seen["categories"]) == ("RUNNING", None, ["PREDICTION"])
    emulator.advance(6)
    ended = requester.get(answer.headers["Location"])
    assert (ended.status_code, ended.headers["Location"]) == (303, f"{origin}/api/v2/{path}")
    seen = taken(requester.get(path))
    assert (seen["datasetId"], seen["versionId"]) == (made["catalogId"], made["catalogVersionId"])
    assert (seen["name"], seen["processingState"], seen["error"]) == ("visits.csv", "COMPLETED", None)
    assert (seen["rowCount"], seen["columnCount"], seen["datasetSize"]) == (2, 2, len(CSV))
    assert (seen["isLatestVersion"], seen["isSnapshot"], seen["createdBy"]) == (True, True, "requester@example.com")


def test_the_file_comes_back_as_it_was(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md H: GET datasets/{id}/file/ as text/csv, whole."""
    content = b'\xef\xbb\xbfid,text\r\n1,"a\nb"\r\n' + bytes(range(1, 128)) * 10_000
    key = uploaded(emulator, requester, content)
    answer = requester.get(f"datasets/{key}/file/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv")
    assert answer.headers["Content-Length"] == str(len(content))
    assert "visits.csv" in answer.headers["Content-Disposition"]
    assert answer.content == content


def test_a_new_version_stands_for_the_dataset(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md J: versions/fromFile/ answers alike; H: versions/?orderBy=-created, versions/{id}/file/."""
    key = uploaded(emulator, requester)
    first = taken(requester.get(f"datasets/{key}/"))["versionId"]
    made = taken(upload(requester, b"id,outcome\n3,yes\n", f"datasets/{key}/versions/fromFile/"))
    assert made["catalogId"] == key
    emulator.advance(6)
    newest, oldest = taken(requester.get(f"datasets/{key}/versions/?orderBy=-created"))["data"]
    assert (newest["versionId"], newest["isLatestVersion"]) == (made["catalogVersionId"], True)
    assert (oldest["versionId"], oldest["isLatestVersion"]) == (first, False)
    assert taken(requester.get(f"datasets/{key}/"))["versionId"] == made["catalogVersionId"]
    assert taken(requester.get(f"datasets/{key}/versions/{first}/"))["rowCount"] == 2
    assert requester.get(f"datasets/{key}/file/").content == b"id,outcome\n3,yes\n"
    assert requester.get(f"datasets/{key}/versions/{first}/file/").content == CSV
    assert requester.get(f"datasets/{key}/versions/{'0' * 24}/").status_code == 404


@pytest.mark.parametrize(("value", "new"), [("at_once", True), ("when_completed", False)])
def test_switch_dataset_latest(emulator: EmulatorDoor, requester: httpx.Client, value: str, new: bool) -> None:
    emulator.switches(dataset_latest=value)
    key = uploaded(emulator, requester)
    made = taken(upload(requester, CSV, f"datasets/{key}/versions/fromFile/"))
    assert (taken(requester.get(f"datasets/{key}/"))["versionId"] == made["catalogVersionId"]) is new
    emulator.advance(6)
    assert taken(requester.get(f"datasets/{key}/"))["versionId"] == made["catalogVersionId"]


def test_a_dataset_that_is_not_ready_cannot_be_downloaded(requester: httpx.Client) -> None:
    """The generated R client documents it: 409, ingest info is missing."""
    made = taken(upload(requester))
    answer = requester.get(f"datasets/{made['catalogId']}/file/")
    assert (answer.status_code, answer.json()) == (409, {"message": "Ingest info is missing for dataset version."})


@pytest.mark.parametrize("content", [b"\0\1\2\3", b'id,outcome\n1,"yes\0'])
def test_a_file_that_is_no_csv(emulator: EmulatorDoor, requester: httpx.Client, content: bytes) -> None:
    answer = upload(requester, content)
    emulator.advance(6)
    ended = requester.get(answer.headers["Location"]).json()
    seen = taken(requester.get(f"datasets/{answer.json()['catalogId']}/"))
    assert (ended["status"], seen["processingState"]) == ("ERROR", "ERROR")
    assert seen["error"] == "The file is neither CSV nor Parquet."


def test_a_processing_that_fails(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("failed_job", message="Too many columns.", operationId="createDatasetFromFile")
    answer = upload(requester)
    emulator.advance(6)
    assert requester.get(answer.headers["Location"]).json()["message"] == "Too many columns."
    seen = taken(requester.get(f"datasets/{answer.json()['catalogId']}/"))
    assert (seen["processingState"], seen["error"]) == ("ERROR", "Too many columns.")


def test_parquet_is_kept_and_given_back(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md H: a download may be Parquet."""
    key = uploaded(emulator, requester, b"PAR1\0\0PAR1")
    answer = requester.get(f"datasets/{key}/file/")
    assert (answer.headers["Content-Type"], answer.content) == ("application/vnd.apache.parquet", b"PAR1\0\0PAR1")
    assert taken(requester.get(f"datasets/{key}/"))["rowCount"] is None


def test_deletion(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    """wire.md J: 204; 410 if already deleted."""
    key = uploaded(emulator, requester)
    answer = requester.delete(f"datasets/{key}/")
    assert (answer.status_code, answer.content) == (204, b"")
    for method, path in (("DELETE", ""), ("GET", ""), ("GET", "file/"), ("GET", "versions/")):
        assert requester.request(method, f"datasets/{key}/{path}").status_code == 410
    assert taken(requester.get("datasets/"))["data"] == []
    assert emulator.count("datasetDeleted", key) == 1


def test_a_dataset_that_is_deleted_while_it_is_read(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    answer = upload(requester)
    requester.delete(f"datasets/{answer.json()['catalogId']}/")
    emulator.advance(6)
    assert requester.get(answer.headers["Location"]).json()["status"] == "ERROR"


def test_the_list(emulator: EmulatorDoor, requester: httpx.Client, reviewer: httpx.Client, admin: httpx.Client) -> None:
    """wire.md J: the generated clients' arguments; others' datasets are not seen."""
    good = uploaded(emulator, requester)
    bad = uploaded(emulator, requester, b"\0")
    rows = taken(requester.get("datasets/?orderBy=created&limit=1"))
    assert ([one["datasetId"] for one in rows["data"]], rows["totalCount"]) == ([good], 2)
    assert [one["datasetId"] for one in taken(requester.get("datasets/?orderBy=-created"))["data"]] == [bad, good]
    assert [one["datasetId"] for one in taken(requester.get("datasets/?filterFailed=true"))["data"]] == [good]
    assert taken(requester.get("datasets/?category=TRAINING"))["data"] == []
    assert taken(reviewer.get("datasets/"))["totalCount"] == 0
    assert taken(admin.get("datasets/"))["totalCount"] == 2
    assert reviewer.get(f"datasets/{good}/").status_code == 404
    assert reviewer.delete(f"datasets/{good}/").status_code == 404


def test_another_name(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    key = uploaded(emulator, requester)
    seen = taken(requester.patch(f"datasets/{key}/", json={"name": "Visits", "categories": ["TRAINING"]}))
    assert (seen["name"], seen["categories"]) == ("Visits", ["TRAINING"])
    assert taken(requester.get(f"datasets/{key}/"))["name"] == "Visits"


class Shelf(SimpleHTTPRequestHandler):
    """A web server with one file, which it hands out when it is told to."""

    ready = threading.Event()

    def do_GET(self) -> None:
        self.ready.wait(timeout=30)
        self.send_response(200 if self.path == "/data/visits.csv" else 404)
        self.end_headers()
        self.wfile.write(CSV)

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""


@pytest.fixture
def shelf() -> Iterator[str]:
    Shelf.ready.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Shelf) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Shelf.ready.set()
        server.shutdown()
        thread.join()


def until_over(emulator: EmulatorDoor, client: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """The status object's last answer; the thread that fetches is not on the service's clock."""
    for _ in range(2_000):
        emulator.advance(1)
        ended = client.get(answer.headers["Location"])
        if ended.status_code == 303 or ended.json()["status"] == "ERROR":
            return ended
    raise AssertionError("the file never came")


def test_a_dataset_from_a_url(emulator: EmulatorDoor, requester: httpx.Client, shelf: str) -> None:
    """wire.md J: fromURL/ 202 JSON; the job waits for the file."""
    answer = requester.post("datasets/fromURL/", json={"url": f"{shelf}/data/visits.csv"})
    path = f"datasets/{answer.json()['catalogId']}/"
    emulator.advance(60)
    assert requester.get(answer.headers["Location"]).json()["status"] == "RUNNING"
    Shelf.ready.set()
    assert until_over(emulator, requester, answer).status_code == 303
    seen = taken(requester.get(path))
    assert (seen["name"], seen["processingState"], seen["rowCount"]) == ("visits.csv", "COMPLETED", 2)
    assert requester.get(f"{path}file/").content == CSV


@pytest.mark.parametrize("path", ["/gone.csv", None])
def test_a_url_that_cannot_be_read(
    emulator: EmulatorDoor, requester: httpx.Client, shelf: str, path: str | None
) -> None:
    Shelf.ready.set()
    url = f"{shelf}{path}" if path else "http://127.0.0.1:9/visits.csv"
    answer = requester.post("datasets/fromURL/", json={"url": url})
    assert until_over(emulator, requester, answer).json()["message"].startswith("The URL could not be read: ")
    seen = taken(requester.get(f"datasets/{answer.json()['catalogId']}/"))
    assert (seen["processingState"], seen["error"][:26]) == ("ERROR", "The URL could not be read:")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "visits.csv", ""])
def test_a_url_is_http(requester: httpx.Client, url: str) -> None:
    assert requester.post("datasets/fromURL/", json={"url": url}).status_code == 422


def multipart(*parts: bytes, boundary: bytes = b"cut", end: bytes = b"--") -> tuple[bytes, dict[str, str]]:
    content = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + end + b"\r\n"
    return content, {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}


FILE_PART = b'Content-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n' + CSV
FIELD_PART = b'Content-Disposition: form-data; name="categories"\r\n\r\nTRAINING'


def test_literal_multipart(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    content, headers = multipart(FIELD_PART, FILE_PART)
    made = taken(requester.post("datasets/fromFile/", content=content, headers=headers))
    emulator.advance(6)
    assert requester.get(f"datasets/{made['catalogId']}/file/").content == CSV
    assert taken(requester.get(f"datasets/{made['catalogId']}/"))["categories"] == ["TRAINING"]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (*multipart(FIELD_PART), 422),
        (*multipart(b'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'), 422),
        (*multipart(b'Content-Disposition: form-data; name="other"; filename="a.csv"\r\n\r\nid\n1'), 422),
        (*multipart(FILE_PART, end=b""), 400),
        (b"no boundary at all", {"Content-Type": "multipart/form-data; boundary=cut"}, 400),
        (*multipart(b'Content-Disposition: form-data; name="categories"\r\n\r\n' + b"x" * 70_000, FILE_PART), 400),
        (CSV, {"Content-Type": "text/csv"}, 415),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (CSV, {"Content-Type": "multipart/form-data"}, 415),
    ],
)
def test_a_body_that_is_no_upload(
    emulator: EmulatorDoor, requester: httpx.Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    """422, 'did not contain file contents', is documented by the generated R client."""
    assert requester.post("datasets/fromFile/", content=content, headers=headers).status_code == status
    assert emulator.world("datasets") == {}


def test_an_upload_where_json_is_wanted(requester: httpx.Client) -> None:
    content, headers = multipart(FILE_PART)
    assert requester.post("changeRequests/", content=content, headers=headers).status_code == 415


def test_an_upload_can_be_lost_or_late(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    emulator.fault("lost_answer", answer=504, operationId="createDatasetFromFile")
    assert upload(requester).status_code == 504
    assert len(emulator.world("datasets")) == 1
    emulator.fault("late_commit", seconds=30, operationId="createDatasetFromFile")
    assert upload(requester, b"id\n7\n").status_code == 504
    assert len(emulator.world("datasets")) == 1
    emulator.advance(36)
    contents = {requester.get(f"datasets/{key}/file/").content for key in emulator.world("datasets")}
    assert contents == {CSV, b"id\n7\n"}


def test_a_download_can_be_cut(emulator: EmulatorDoor, requester: httpx.Client) -> None:
    key = uploaded(emulator, requester, b"id\n" + b"1\n" * 500_000)
    emulator.fault("truncated", operationId="downloadDatasetFile")
    with pytest.raises(httpx.RemoteProtocolError):
        requester.get(f"datasets/{key}/file/")
    emulator.fault("content_type", value="text/plain", operationId="downloadDatasetFile")
    answer = requester.get(f"datasets/{key}/file/")
    assert (answer.headers["Content-Type"], len(answer.content)) == ("text/plain", 1_000_003)


def test_nothing_is_left_of_an_upload_that_is_refused_or_broken_off() -> None:
    """A refused upload, one that a fault answers, and one whose client goes away in the middle."""
    service = Service()
    content, headers = multipart(FILE_PART)
    with running(service) as origin:
        url = f"{origin}/api/v2/datasets/fromFile/"
        assert httpx.post(url, content=content, headers=headers, trust_env=False).status_code == 401
        EmulatorDoor(origin).fault("status", code=503)
        assert httpx.post(url, content=content, headers=headers, trust_env=False).status_code == 503
        host, port = origin.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST /api/v2/datasets/fromFile/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9999\r\n"
            connection.sendall(f"{head}Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + content[:-20])
        for _ in range(50):
            if len(EmulatorDoor(origin).log()) == 3 and EmulatorDoor(origin).log()[-1]["status"] == "reset":
                break
        assert EmulatorDoor(origin).log()[-1]["status"] == "reset"
        folder = service.files.path("any").parent
        assert list(folder.iterdir()) == []
    assert not folder.exists()


def test_an_upload_takes_the_same_memory_for_any_size(tmp_path: Path) -> None:
    """Rows are counted and bytes written while they come in; held in memory is one piece."""
    service = Service()
    row = b"customer-000001,1\n" * 4_000
    with running(service) as origin:
        door = EmulatorDoor(origin)
        client = httpx.Client(
            base_url=f"{origin}/api/v2/", headers={"Authorization": "Token requester-token"}, trust_env=False
        )
        with client, _sparse(tmp_path / "big.csv", row * 100) as big:
            before = _resident()
            made = taken(client.post("datasets/fromFile/", files={"file": ("big.csv", big, "text/csv")}))
            grown = _resident() - before
            door.advance(6)
            assert taken(client.get(f"datasets/{made['catalogId']}/"))["rowCount"] == 400_000
    assert grown < 6_000_000, "7.2 MB were uploaded"


def _sparse(path: Path, content: bytes) -> Any:
    path.write_bytes(b"id,outcome\n" + content)
    return path.open("rb")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


@given(
    st.lists(st.lists(st.sampled_from(["a", "b\nc", 'say "x"', "", "\n\n", "ü"]), min_size=1, max_size=3), max_size=6),
    st.integers(1, 7),
)
def test_lines_are_counted_as_csv_counts_them(rows: list[list[str]], size: int) -> None:
    """A line break inside quotes is none, however the bytes are cut."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    content = text.getvalue().encode()
    counter = LineCounter()
    for start in range(0, len(content), size):
        counter.feed(content[start : start + size])
    assert (counter.lines, counter.size) == (len(rows), len(content))


@pytest.mark.parametrize(("content", "lines"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b'"a\nb', 1)])
def test_a_last_line_without_a_break_counts(content: bytes, lines: int) -> None:
    counter = LineCounter()
    counter.feed(content)
    assert counter.lines == lines
