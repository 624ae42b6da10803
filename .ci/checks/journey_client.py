"""The README's journey by a client that openapi-python-client generated: register, login, widgets, logout.

journey_client.py URL, with ADMIN_EMAIL and ADMIN_PASSWORD in the environment and the generated package importable.
"""

import datetime
import os
import sys
import uuid
from http import HTTPStatus

from gatehouse_client import AuthenticatedClient, Client
from gatehouse_client.api.auth_service import get_current_user, list_users, login, logout, register
from gatehouse_client.api.widget_service import (
    create_widget,
    delete_widget,
    get_widget,
    list_widgets,
    replace_widget,
    update_widget,
)
from gatehouse_client.models import (
    CreateWidgetBody,
    LoginRequest,
    Problem,
    RegisterRequest,
    ReplaceWidgetBody,
    UpdateWidgetBody,
)

PASSWORD = "correct horse battery staple"
DEADLINE = datetime.datetime(2099, 12, 31, 12, tzinfo=datetime.timezone.utc)

claims = 0


def claim(what, actual, expected):
    global claims
    if actual != expected:
        sys.exit(f"FAILED: {what}: got {actual!r}, expected {expected!r}")
    claims += 1


def done(what, response, status):
    """The parsed body of a response that must have this status."""
    claim(f"{what} ({response.content[:500]!r})", response.status_code, status)
    return response.parsed


def refused(what, response, status, reason):
    problem = done(what, response, status)
    claim(f"{what}: the body", type(problem), Problem)
    claim(f"{what}: the reason", problem.reason, reason)
    return problem


def logged_in(url, email, password):
    body = LoginRequest(email=email, password=password)
    token = done("login", login.sync_detailed(client=Client(base_url=url), body=body), HTTPStatus.OK)
    return AuthenticatedClient(base_url=url, token=token.access_token)


def main(url):
    anonymous = Client(base_url=url)
    email = f"ada-{uuid.uuid4().hex}@example.com"
    account = RegisterRequest(email=email, password=PASSWORD)
    token = done("register", register.sync_detailed(client=anonymous, body=account), HTTPStatus.CREATED)
    claim("the token's type", token.token_type, "Bearer")
    refused("register again", register.sync_detailed(client=anonymous, body=account), HTTPStatus.CONFLICT, "EMAIL_TAKEN")

    user = logged_in(url, email, PASSWORD)
    me = done("who am I", get_current_user.sync_detailed(client=user), HTTPStatus.OK)
    claim("my address", me.email, email)
    claim("my role", me.admin, False)

    name = f"sprocket-{uuid.uuid4().hex}"
    new = CreateWidgetBody(name=name, info_url="https://example.com/9", deadline=DEADLINE)
    refused(
        "a user creates", create_widget.sync_detailed(client=user, body=new), HTTPStatus.FORBIDDEN, "ADMIN_REQUIRED"
    )

    admin = logged_in(url, os.environ["ADMIN_EMAIL"], os.environ["ADMIN_PASSWORD"])
    found = done("users", list_users.sync_detailed(client=admin, count_total=True), HTTPStatus.OK)
    claim("at least two users", found.total_size >= 2, True)
    made = create_widget.sync_detailed(client=admin, body=new)
    claim("the new widget's name", done("create", made, HTTPStatus.CREATED).name, name)
    claim("where it is", made.headers["location"], f"/api/v1/widgets/{name}")
    refused("create again", create_widget.sync_detailed(client=admin, body=new), HTTPStatus.CONFLICT, "WIDGET_EXISTS")
    bad = CreateWidgetBody(name="Not OK", info_url="nowhere", deadline=DEADLINE)
    problem = refused("bad fields", create_widget.sync_detailed(client=admin, body=bad), 400, "INVALID_FIELDS")
    claim("each is named", sorted(error.field for error in problem.errors), ["info_url", "name"])

    shown = get_widget.sync_detailed(client=user, name=name)
    widget = done("get", shown, HTTPStatus.OK)
    claim("the deadline", widget.deadline, DEADLINE)
    etag = shown.headers["etag"]
    again = get_widget.sync_detailed(client=user, name=name, if_none_match=etag)
    claim("an unchanged widget", again.status_code, HTTPStatus.NOT_MODIFIED)

    change = UpdateWidgetBody(description="A wheel")
    changed = update_widget.sync_detailed(client=admin, name=name, body=change, if_match=etag)
    claim("a new description", done("update", changed, HTTPStatus.OK).description, "A wheel")
    late = update_widget.sync_detailed(client=admin, name=name, body=change, if_match=etag)
    refused("update with an old etag", late, HTTPStatus.PRECONDITION_FAILED, "WIDGET_STALE")
    whole = ReplaceWidgetBody(info_url="https://example.com/10", deadline=DEADLINE)
    replaced = done("replace", replace_widget.sync_detailed(client=admin, name=name, body=whole), HTTPStatus.OK)
    claim("a replaced description", replaced.description, "")
    page = done("list", list_widgets.sync_detailed(client=user, name_prefix=name, count_total=True), HTTPStatus.OK)
    claim("one widget of this name", [(widget.name, page.total_size) for widget in page.widgets], [(name, 1)])
    done("delete", delete_widget.sync_detailed(client=admin, name=name), HTTPStatus.NO_CONTENT)
    refused("get a deleted one", get_widget.sync_detailed(client=user, name=name), 404, "WIDGET_NOT_FOUND")

    done("logout", logout.sync_detailed(client=user), HTTPStatus.NO_CONTENT)
    refused("a dead token", list_widgets.sync_detailed(client=user), HTTPStatus.UNAUTHORIZED, "TOKEN_REVOKED")
    print(f"journey of the generated client: {claims} passed, 0 failed")


main(sys.argv[1])
