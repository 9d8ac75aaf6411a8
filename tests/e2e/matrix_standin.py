#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a Matrix homeserver: the few endpoints that http steps call.

It remembers users, their sessions and every request, is strict about passwords and access
tokens, and notes what the other side did wrong (`violations`). It keeps no rooms: every
sync tells of one joined room, of the name that it was given. In a test:

    with Matrix("hs1") as matrix: ... matrix.url ... matrix.asked ...

By hand:  matrix_standin.py --port 0 --name hs1 --adopt --lifetime 60   (prints its URL)

With `adopt` a user that nobody registered is made by its first login: simulated clients
say that they have registered, but talk to no homeserver.
"""
import argparse
import http.server
import json
import re
import sys
import threading
import uuid
from collections import namedtuple

BODY_MAX = 1 << 20
LOCALPART = re.compile(r"[a-z0-9._=/+-]{1,200}")
ROUTE = re.compile(r"/_matrix/client/(?:r0|v3)/(register|login|logout|sync)")
METHODS = {"register": "POST", "login": "POST", "logout": "POST", "sync": "GET"}
ROOM = "little test room"

Request = namedtuple("Request", "method path headers body status")


class Refusal(Exception):
    """An answer that is none of the good ones."""

    def __init__(self, status, code, text, **more):
        super().__init__(text)
        self.status = status
        self.body = {"errcode": code, "error": text, **more}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def read_body(self):
        """The body, by length or in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            return self.rfile.read(min(length, BODY_MAX))
        body = b""
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            body += self.rfile.read(min(size, BODY_MAX))
            self.rfile.readline(8)
        self.rfile.readline(8)
        return body

    def handle_any(self):
        raw = self.read_body()
        target = self.requestline.split(" ")[1]  # self.path has lost a doubled slash
        status, value = self.server.matrix.answer(
            self.command, target, dict(self.headers), raw)
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """The other side may hang up whenever it likes."""


class Matrix:
    def __init__(self, name="hs1", port=0, adopt=False, room=ROOM):
        self.name = name
        self.adopt = adopt
        self.room = room
        self.requests = []
        self.violations = []
        self.users = {}  # localpart -> password
        self.tokens = {}  # access token -> localpart, while the session lasts
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", port), Handler)
        self._server.matrix = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    # --- what tests look at

    @property
    def asked(self):
        """(method, path, status) of every request, in order."""
        with self._lock:
            return [(r.method, r.path, r.status) for r in self.requests]

    def bodies(self, path):
        with self._lock:
            return [r.body for r in self.requests if r.path == path]

    # --- the protocol

    def answer(self, method, path, headers, raw):
        """(status, JSON) of one request, which is remembered."""
        body = None
        with self._lock:
            try:
                body = self._read(method, path, headers, raw)
                status, value = 200, self._do(method, path, headers, body)
            except Refusal as refusal:
                status, value = refusal.status, refusal.body
            self.requests.append(Request(method, path, headers, body, status))
        return status, value

    def _violate(self, status, code, text):
        self.violations.append(text)
        raise Refusal(status, code, text)

    def _read(self, method, path, headers, raw):
        if not raw:
            return None
        lower = {name.lower(): value for name, value in headers.items()}
        kind = lower.get("content-type", "")
        if not kind.startswith("application/json"):
            self._violate(400, "M_NOT_JSON", f"{method} {path}: Content-Type is {kind}")
        try:
            return json.loads(raw)
        except ValueError as wrong:
            return self._violate(400, "M_NOT_JSON", f"{method} {path}: {wrong}")

    def _do(self, method, path, headers, body):
        route = ROUTE.fullmatch(path.partition("?")[0])
        if route is None:
            self._violate(404, "M_UNRECOGNIZED", f"{method} {path}: no such thing")
        what = route[1]
        if method != METHODS[what]:
            self._violate(405, "M_UNRECOGNIZED", f"{method} {path}: want {METHODS[what]}")
        if what in ("register", "login") and not isinstance(body, dict):
            self._violate(400, "M_BAD_JSON", f"{method} {path}: want an object")
        return getattr(self, "_" + what)(headers, body)

    def _text(self, body, name):
        if not isinstance(body.get(name), str) or not body[name]:
            self._violate(400, "M_MISSING_PARAM", f"want {name}, in {body}")
        return body[name]

    def _session(self, localpart):
        token = "syt_" + uuid.uuid4().hex
        self.tokens[token] = localpart
        return {"user_id": f"@{localpart}:{self.name}", "access_token": token,
                "device_id": token[-10:].upper(), "home_server": self.name}

    def _register(self, headers, body):
        auth = body.get("auth")
        if not isinstance(auth, dict):
            raise Refusal(401, "M_FORBIDDEN", "this takes a stage of authentication",
                          flows=[{"stages": ["m.login.dummy"]}], params={},
                          session=uuid.uuid4().hex)
        if auth.get("type") != "m.login.dummy":
            self._violate(400, "M_BAD_JSON", f"register: auth is {auth}")
        localpart, password = self._text(body, "username"), self._text(body, "password")
        if not LOCALPART.fullmatch(localpart):
            self._violate(400, "M_INVALID_USERNAME", f"register: {localpart!r}")
        if localpart in self.users:
            raise Refusal(400, "M_USER_IN_USE", f"{localpart} exists already")
        self.users[localpart] = password
        return self._session(localpart)

    def _localpart(self, body):
        """Whom a login names: by identifier, or in the old way."""
        identifier = body.get("identifier")
        if identifier is None:
            user = self._text(body, "user")
        elif isinstance(identifier, dict) and identifier.get("type") == "m.id.user":
            user = self._text(identifier, "user")
        else:
            return self._violate(400, "M_BAD_JSON", f"login: identifier is {identifier}")
        if not user.startswith("@"):
            return user
        localpart, _, server = user[1:].partition(":")
        if server != self.name:
            raise Refusal(403, "M_FORBIDDEN", f"{user} is no user of {self.name}")
        return localpart

    def _login(self, headers, body):
        if body.get("type") != "m.login.password":
            self._violate(400, "M_UNKNOWN", f"login: type is {body.get('type')!r}")
        localpart, password = self._localpart(body), self._text(body, "password")
        if self.adopt:
            self.users.setdefault(localpart, password)
        if localpart not in self.users or self.users[localpart] != password:
            raise Refusal(403, "M_FORBIDDEN", "Invalid username or password")
        return self._session(localpart)

    def _token(self, headers):
        lower = {name.lower(): value for name, value in headers.items()}
        scheme, _, token = lower.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refusal(401, "M_MISSING_TOKEN", "Missing access token")
        if token not in self.tokens:
            raise Refusal(401, "M_UNKNOWN_TOKEN", "Unrecognised access token",
                          soft_logout=False)
        return token

    def _logout(self, headers, body):
        del self.tokens[self._token(headers)]
        return {}

    def _sync(self, headers, body):
        user = f"@{self.tokens[self._token(headers)]}:{self.name}"
        named = {"type": "m.room.name", "state_key": "", "sender": user,
                 "event_id": "$" + uuid.uuid4().hex, "origin_server_ts": 1,
                 "content": {"name": self.room}}
        room = {"state": {"events": [dict(named, type="m.room.create",
                                          content={"creator": user}), named]},
                "timeline": {"events": [], "limited": False, "prev_batch": "t1"},
                "ephemeral": {"events": []}, "account_data": {"events": []},
                "unread_notifications": {}}
        rooms = {"join": {f"!room:{self.name}": room}, "invite": {}, "leave": {}}
        return {"next_batch": "s1", "presence": {"events": []}, "rooms": rooms}


def main():
    parser = argparse.ArgumentParser(description="A stand-in for a Matrix homeserver.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--name", default="hs1", help="its server_name")
    parser.add_argument("--adopt", action="store_true",
                        help="a user that nobody registered is made by its first login")
    parser.add_argument("--room", default=ROOM, help="the name of the room that it knows")
    parser.add_argument("--lifetime", type=float, default=120, help="stop by itself, s")
    options = parser.parse_args()
    with Matrix(options.name, options.port, options.adopt, options.room) as matrix:
        print(matrix.url, flush=True)
        try:
            threading.Event().wait(options.lifetime)
        except KeyboardInterrupt:
            pass
    for violation in matrix.violations:
        print(f"violation: {violation}", file=sys.stderr)
    return 1 if matrix.violations else 0


if __name__ == "__main__":
    sys.exit(main())
