"""Plays every example of the OpenAPI document against a running house: each must be accepted.

examples.py URL, with ADMIN_EMAIL and ADMIN_PASSWORD in the environment. The examples tell one story, so that they are
played in the order in which a person would: accounts are made before they are used, and deleted last. It changes what
the examples name.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

FIRST = ["Register", "Login", "CreateWidget"]
LAST = ["DeleteWidget", "ChangePassword", "DeleteCurrentUser"]


def call(url, method, path, body=None, token=None):
    headers = {"content-type": "application/json"} if body is not None else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def token_of(url, email, password):
    status, text = call(url, "POST", "/api/v1/auth/login", {"email": email, "password": password})
    if status != 200:
        sys.exit(f"FAILED: login as {email}: {status} {text}")
    return json.loads(text)["access_token"]


def rank(operation):
    name = operation["operationId"]
    return FIRST.index(name) - len(FIRST) if name in FIRST else LAST.index(name) + 1 if name in LAST else 0


def query_of(operation):
    examples = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query" and parameter["schema"].get("examples"):
            examples[parameter["name"]] = parameter["schema"]["examples"][0]
    return examples


def path_of(path, operation):
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and "example" in parameter:
            path = path.replace("{%s}" % parameter["name"], urllib.parse.quote(str(parameter["example"]), safe=""))
    return path


def main(url):
    with urllib.request.urlopen(url + "/openapi.json") as response:
        document = json.load(response)
    found = [
        (rank(operation), path, method.upper(), operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    found.sort(key=lambda entry: entry[0])
    credentials = {}
    played = 0
    for _, path, method, operation in found:
        name = operation["operationId"]
        media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        body, query = media.get("example"), query_of(operation)
        where = path_of(path, operation)
        if body is None and not query and where == path:
            continue
        is_admin = "Open to administrators" in operation["description"]
        if is_admin or not credentials:
            who = (os.environ["ADMIN_EMAIL"], os.environ["ADMIN_PASSWORD"])
        else:
            who = (credentials["email"], credentials["password"])
        if "{id}" in where:
            where = where.replace("{id}", user_id(url, credentials["email"]))
        token = token_of(url, *who) if operation.get("security") else None
        query = "?" + urllib.parse.urlencode(query) if query else ""
        status, text = call(url, method, where + query, body, token)
        if not 200 <= status < 300:
            sys.exit(f"FAILED: the example of {name}: {method} {where}{query} {json.dumps(body)}: {status} {text}")
        if name == "Register":
            credentials = dict(body)
        if name == "ChangePassword":
            # The examples of the others go on with the first password.
            undo = {"current": body["new"], "new": body["current"]}
            call(url, method, where, undo, token_of(url, credentials["email"], body["new"]))
        played += 1
    print(f"examples: {played} played, 0 refused")


def user_id(url, email):
    token = token_of(url, os.environ["ADMIN_EMAIL"], os.environ["ADMIN_PASSWORD"])
    _, text = call(url, "GET", "/api/v1/users?page_size=1000", token=token)
    return next(user["id"] for user in json.loads(text)["users"] if user["email"] == email)


main(sys.argv[1])
