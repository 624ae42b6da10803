"""Plays a service of another language, unknown when the gateway was built, over REST: foreign.py URL."""

import base64
import http.client
import json
import sys
from urllib.parse import urlsplit

host = urlsplit(sys.argv[1]).netloc
passed = 0


def call(method, path, body=None, headers=None):
    """The status, the headers and the body, as JSON where it is."""
    connection = http.client.HTTPConnection(host, timeout=20)
    if body is not None and not isinstance(body, (bytes, str)):
        body, headers = json.dumps(body), {"content-type": "application/json", **(headers or {})}
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    content = response.read().decode()
    if response.headers.get("content-type", "").split("+")[-1].endswith("json") and "\n" not in content and content:
        content = json.loads(content)
    return response.status, response.headers, content


def claim(what, actual, expected):
    global passed
    if actual != expected:
        sys.exit(f"FAILED: {what}: got {actual!r}, expected {expected!r}")
    passed += 1


def problem(what, answer, status, code, reason):
    actual_status, headers, body = answer
    claim(what, (actual_status, headers["content-type"]), (status, "application/problem+json"))
    claim(f"{what}: code and reason", (body["code"], body["reason"]), (code, reason))
    return headers, body


name = "shelves/a%2Fb/books/emma"
book = {
    "title": "Emma",
    "subject": "HISTORY",
    "cover": base64.b64encode(b"\xff\xfe\x00").decode(),
    "copies": {"en": "9007199254740993", "de": 2},
    "subtitle": "",
    "printedAt": "1815-12-23T01:00:00.5+01:00",
    "authors": [{"full_name": "Jane Austen", "yearOfBirth": 1775}, {"fullName": "?"}],
}
shown = {
    # A multi-segment variable keeps an encoded slash as it came.
    "name": name,
    "title": "Emma",
    "subject": "HISTORY",
    "cover": "//4A",
    "copies": {"en": "9007199254740993", "de": "2"},
    "subtitle": "",
    "printed_at": "1815-12-23T00:00:00.500Z",
    "authors": [{"full_name": "Jane Austen", "born": 1775}, {"full_name": "?"}],
}

# Unary, a nested path variable, a body field, every kind of value both ways.
status, _, body = call("PUT", f"/v1/{name}", book)
body["copies"] = dict(sorted(body["copies"].items(), reverse=True))
claim("PUT of a book", (status, body), (200, shown))
status, _, body = call("GET", f"/v1/{name}")
claim("GET by its name", (status, body["title"], body["cover"]), (200, "Emma", "//4A"))
claim("HEAD has no content", call("HEAD", f"/v1/{name}")[::2], (200, ""))

# Additional bindings: the name from the query, and one field as the body.
status, _, body = call("GET", f"/v1/books?name={name.replace('%', '%25')}")
claim("GET by an additional binding", (status, body["name"]), (200, name))
call("PUT", "/v1/shelves/1/books/2", {"title": "Zwei"})
claim("response_body", call("GET", "/v1/books/shelves%2F1%2Fbooks%2F2:title")[::2], (200, "Zwei"))

# The query fills what neither path nor body does.
query = "embargo=2030-01-01T00:00:00Z&also=HISTORY&also=1"
status, _, body = call("PUT", f"/v1/shelves/1/books/3?{query}", {"title": "Drei"})
claim("query", body["title"], "Drei, from 2030-01-01T00:00:00Z, history, engineering")

# google.api.HttpBody and google.protobuf.Empty.
status, headers, body = call("GET", "/v1/shelves/1/books/2:read")
claim("raw", (status, headers["content-type"], body), (200, "text/plain; charset=utf-8", "Ein Märchen\n"))
claim("empty", call("DELETE", "/v1/shelves/1/books/2")[::2], (200, {}))

# Server streaming.
status, headers, body = call("GET", "/v1/shelves/1/books/3:copy?count=2")
claim("a stream", (status, headers["content-type"]), (200, "application/x-ndjson"))
lines = [json.loads(line)["name"] for line in body.splitlines()]
claim("its lines", lines, ["shelves/1/books/3-0", "shelves/1/books/3-1"])
status, headers, body = call("GET", "/v1/shelves/1/books/3:copy?count=9")
last = json.loads(body.splitlines()[-1])["error"]
claim("a stream that fails", (status, len(body.splitlines()), last["reason"]), (200, 4, "RESOURCE_EXHAUSTED"))
events = {"accept": "text/event-stream"}
status, headers, body = call("GET", "/v1/shelves/1/books/3:copy?count=2", headers=events)
claim("events", (headers["content-type"], body.count("data: {"), body[-2:]), ("text/event-stream", 2, "\n\n"))
problem("a stream that never begins", call("GET", "/v1/shelves/1/books/no:copy"), 404, "NOT_FOUND", "NOT_FOUND")

# Metadata and deadlines.
headers = {"authorization": "Bearer x", "x-user": "root", "grpc-timeout": "3S"}
status, _, body = call("POST", "/v1/shelves/1/books/3:lend", {"reader": {"full_name": "Ann", "days": 5}}, headers)
seen = {"authorization": "Bearer x", "x-forwarded-for": "127.0.0.1", "x-user": "-"}
claim("metadata and deadline", (status, body["title"]), (200, f"Ann {seen} True"))

# Errors of the service, with details and without.
_, body = problem("without details", call("GET", "/v1/shelves/1/books/2"), 404, "NOT_FOUND", "NOT_FOUND")
claim("its text", body["detail"], "no book 'shelves/1/books/2'")
answer = call("POST", "/v1/shelves/1/books/3:lend", {"reader": {"days": 31}})
_, body = problem("with details", answer, 400, "INVALID_ARGUMENT", "TOO_LONG")
claim("its fields", body["errors"], [{"field": "reader.days", "detail": "at most 30"}])
headers, _ = problem("RetryInfo", call("POST", "/v1/shelves/1/books/3:lend", {}), 503, "UNAVAILABLE", "LENT")
claim("Retry-After", headers["retry-after"], "7")
problem("not implemented", call("POST", "/v1/shelves/1/books/3:burn"), 501, "UNIMPLEMENTED", "UNIMPLEMENTED")

# Errors of the gateway.
answer = call("PUT", "/v1/shelves/1/books/4", {"subject": "LOVE", "copies": {"en": "many"}, "authors": [{"born": "x"}]})
_, body = problem("bad fields", answer, 400, "INVALID_ARGUMENT", "INVALID_FIELDS")
claim("all of them", [error["field"] for error in body["errors"]], ["subject", 'copies["en"]', "authors[0].born"])
headers, _ = problem("method", call("POST", "/v1/shelves/1/books/4", {}), 405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED")
claim("Allow", headers["allow"], "GET, PUT, DELETE, HEAD, OPTIONS")
problem("not bound", call("POST", "/library.v1.Library/HideBook", {}), 404, "NOT_FOUND", "PATH_NOT_FOUND")

# The document.
_, _, document = call("GET", "/openapi.json")
operations = sorted(item["operationId"] for path in document["paths"].values() for item in path.values())
claim("operations", [name for name in operations if name.startswith("Get")][0], "GetBook")
claim("comments", document["paths"]["/v1/books"]["get"]["summary"], "Gives a book")

print(f"foreign service: {passed} passed, 0 failed")
