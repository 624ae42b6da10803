"""Plays tokens against PyJWT and Envoy as docs/foreign-verifiers.md sets them up.

verifiers.py URL FOLDER: the house's URL, and a folder with verify.py and the address of Envoy's admin listener. The
tokens that are alive and dead in the end are left there.
"""

import base64
import http.client
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request
import uuid

import jwt

PASSWORD = "correct horse battery staple"
PATH = "/.well-known/jwks.json"
PATIENCE = 20


def call(url, method, path, body=None, token=None):
    request = urllib.request.Request(url + path, method=method)
    request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, data, timeout=10) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


class Envoy:
    def __init__(self, folder):
        admin = wait_for(lambda: (folder / "envoy-admin").read_text())
        listeners = wait_for(lambda: call(f"http://{admin}", "GET", "/listeners?format=json")[1]["listener_statuses"])
        address = listeners[0]["local_address"]["socket_address"]
        self.connection = http.client.HTTPConnection(address["address"], address["port_value"], timeout=10)

    def answer(self, token=None, query=""):
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self.connection.request("GET", PATH + query, headers=headers)
        response = self.connection.getresponse()
        body = response.read().decode()
        return "good" if response.status == 200 else f"{response.status} {body}"


def wait_for(attempt):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if found := attempt():
                return found
        except (OSError, KeyError, ValueError):
            if time.monotonic() > until:
                raise
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


def pyjwt(verify, token):
    try:
        verify(token)
        return "good"
    except jwt.PyJWTError as refusal:
        return type(refusal).__name__


def altered(token):
    """The token with one bit flipped in each of its bytes, and with forged algorithms."""
    parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    for which, part in enumerate(parts):
        for place in range(len(part)):
            flipped = bytearray(part)
            flipped[place] ^= 1 << (place % 8)
            yield f"bit {place % 8} of byte {place} of part {which}", join(parts, which, bytes(flipped))
    header = json.loads(parts[0])
    for alg in ["none", "None", "HS256", "RS256", "ES256"]:
        forged = join(parts, 0, json.dumps({**header, "alg": alg}).encode())
        yield f"alg {alg}", forged
        yield f"alg {alg}, no signature", forged.rsplit(".", 1)[0] + "."
    claims = json.loads(parts[1])
    for name, value in [("admin", True), ("exp", claims["exp"] + 1000), ("sub", str(uuid.uuid4()))]:
        yield f"another {name}", join(parts, 1, json.dumps({**claims, name: value}).encode())


def join(parts, which, changed):
    parts = [*parts[:which], changed, *parts[which + 1 :]]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def main(url, folder):
    sys.path.insert(0, str(folder))
    from verify import verify

    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    assert call(url, "POST", "/api/v1/auth/register", account)[0] == 201
    login = lambda: call(url, "POST", "/api/v1/auth/login", account)[1]["access_token"]
    envoy = Envoy(folder)
    claims = 0

    def same(name, got, expected):
        nonlocal claims
        assert got == expected, f"{name}: {got}, not {expected}"
        claims += 1

    stale, fresh = login(), login()
    same("a fresh token, PyJWT", pyjwt(verify, fresh), "good")
    same("a fresh token, Envoy", envoy.answer(fresh), "good")
    same("no token", envoy.answer(), "401 Jwt is missing")
    same("a token in the query", envoy.answer(query=f"?access_token={fresh}"), "401 Jwt is missing")

    for name, token in altered(fresh):
        assert pyjwt(verify, token) != "good", f"PyJWT took {name}"
        # 403 is its answer to another audience.
        answer = envoy.answer(token)
        assert answer.startswith(("401 Jw", "403 Audiences in Jwt")), f"Envoy on {name}: {answer}"
        claims += 2

    fresh = login()
    same("logging out", call(url, "POST", "/api/v1/auth/logout", token=fresh)[0], 204)
    same("a dead token, the gateway", call(url, "GET", "/api/v1/auth/user", token=fresh)[1]["reason"], "TOKEN_REVOKED")
    same("a dead token, PyJWT", pyjwt(verify, fresh), "good")
    same("a dead token, Envoy", envoy.answer(fresh), "good")

    # Envoy allows for a second of clock skew.
    expired_at = verify_unchecked(stale)["exp"] + 2
    time.sleep(max(0, expired_at - time.time()))
    same("an expired token, PyJWT", pyjwt(verify, stale), "ExpiredSignatureError")
    same("an expired token, Envoy", envoy.answer(stale), "401 Jwt is expired")

    alive = login()
    (folder / "tokens").write_text(f"alive {alive}\ndead {fresh}\n")
    print(f"PyJWT {jwt.__version__} and Envoy: {claims} claims hold")


def verify_unchecked(token):
    return jwt.decode(token, options={"verify_signature": False})


main(sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]))
