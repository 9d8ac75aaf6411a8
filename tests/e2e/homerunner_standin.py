#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for homerunner: keeps to its protocol, makes no containers.

It remembers every request, which deployments exist and what the other side did wrong
(`violations`), and it can be slow, fail and lie. In a test:

    with Homerunner("slow", delay=2) as homerunner: ... homerunner.url ...

By hand:  homerunner_standin.py --port 0 --mode slow --delay 10   (prints its URL)
"""
import argparse
import http.server
import json
import re
import sys
import threading
import time
from collections import namedtuple

MODES = {
    "good": "answers at once",
    "slow": "answers after --delay seconds",
    "fail": "400 with a message",
    "error500": "500 with a message",
    "late-error": "500 with a message, after --delay seconds",
    "garbage": "200 with a body that is no JSON",
    "half": "200 with half a body, then the connection ends",
    "silent": "takes the request and says nothing",
    "lying-server": "a reply without the homeserver that was asked for",
    "lying-url": "a reply whose BaseURL is no URL",
    "lying": "lying-server and lying-url in turns",
}
BODY_MAX = 1 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")  # what docker takes for a network

Request = namedtuple("Request", "method path body at")


def blueprint_mistakes(body):
    """What is wrong with the body of a create, in words; [] if nothing is."""
    found = []

    def need(value, kind, where):
        if not isinstance(value, kind) or isinstance(value, str) and not value:
            found.append(f"{where}: want a non-empty {kind.__name__}, not {value!r}")
            return False
        return True

    def only(value, members, where):
        for member in sorted(set(value) - set(members)):
            found.append(f"{where}: unknown member {member!r}")

    if not need(body, dict, "body"):
        return found
    only(body, ("base_image_uri", "blueprint"), "body")
    need(body.get("base_image_uri"), str, "base_image_uri")
    blueprint = body.get("blueprint")
    if not need(blueprint, dict, "blueprint"):
        return found
    only(blueprint, ("Name", "Homeservers"), "blueprint")
    if need(blueprint.get("Name"), str, "blueprint.Name"):
        if not NAME.fullmatch(blueprint["Name"]):
            found.append(f"blueprint.Name: docker will not take {blueprint['Name']!r}")
    servers = blueprint.get("Homeservers")
    if not need(servers, list, "blueprint.Homeservers"):
        return found
    if not servers:
        found.append("blueprint.Homeservers: empty")
    for index, server in enumerate(servers):
        where = f"blueprint.Homeservers[{index}]"
        if not need(server, dict, where):
            continue
        only(server, ("Name", "Users", "Rooms", "BaseImageURI"), where)
        need(server.get("Name"), str, where + ".Name")
        need(server.get("BaseImageURI"), str, where + ".BaseImageURI")
        need(server.get("Users"), list, where + ".Users")
        need(server.get("Rooms"), list, where + ".Rooms")
    names = [str(s.get("Name")) for s in servers if isinstance(s, dict)]
    if len(set(names)) != len(names):
        found.append("blueprint.Homeservers: two have the same Name")
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def answer(self, status, value, content_type="application/json"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def read_body(self):
        """The body, by length or in chunks; None if it is too large or broken."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            return self.rfile.read(length) if length <= BODY_MAX else None
        body = b""
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            if len(body) + size > BODY_MAX:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(8)
        self.rfile.readline(8)
        return body

    def do_GET(self):
        self.server.homerunner.record("GET", self.path, None)
        if self.path == "/health":
            self.answer(200, {})
        else:
            self.server.homerunner.violation(f"GET {self.path}: no such thing")
            self.answer(404, {"message": "no such thing"})

    def do_POST(self):
        homerunner = self.server.homerunner
        try:
            body = json.loads(self.read_body() or b"null")
        except ValueError as wrong:
            homerunner.record("POST", self.path, None)
            homerunner.violation(f"POST {self.path}: {wrong}")
            self.answer(400, {"message": f"that is no JSON: {wrong}"})
            return
        homerunner.record("POST", self.path, body)
        if self.path == "/create":
            homerunner.create(self, body)
        elif self.path == "/destroy":
            homerunner.destroy(self, body)
        else:
            homerunner.violation(f"POST {self.path}: no such thing")
            self.answer(404, {"message": "no such thing"})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """The other side may hang up whenever it likes."""


class Homerunner:
    def __init__(self, mode="good", delay=0.0, port=0, destroy_fails=False, killed=False,
                 beside=None):
        """delay: seconds, or a function that gives them. killed: the other side may be
        killed, and so have destroyed what it never came to ask for. beside: another one
        that the same server uses. Who looks for a deployment asks all of them, so what any
        of them was asked to make is known to all."""
        self.modes = mode.split(",")  # one for each create; the last is repeated
        for one in self.modes:
            if one not in MODES:
                raise ValueError(f"no mode {one!r}; there are {', '.join(MODES)}")
        self.delay = delay
        self.destroy_fails = destroy_fails
        self.killed = killed
        self.requests = []
        self.violations = []
        self.deployments = {}  # Name -> its homeservers, while it exists
        self.creating = 0  # creates that have not been answered yet
        self.most_at_once = 0  # the most that existed or were being made
        self.cancelled = threading.Event()  # set: whoever sleeps wakes
        self._names = set()
        self._known = beside._known if beside else set()  # Names, also of others
        self._making = 0
        self._ports = iter(range(55000, 65000))
        self._turn = 0
        self._lock = threading.Lock()
        self._listen(port)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _listen(self, port):
        self._server = Server(("127.0.0.1", port), Handler)
        self._server.homerunner = self
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
        self.cancelled.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def come_back(self):
        """Listen again where it did before close(), with all deployments that it had."""
        self.cancelled.clear()
        self._listen(self._server.server_address[1])

    # --- what tests look at

    def bodies(self, path):
        with self._lock:
            return [r.body for r in self.requests if r.method == "POST" and r.path == path]

    @property
    def created(self):
        """The Names that were asked for, in order."""
        return [b["blueprint"]["Name"] for b in self.bodies("/create")]

    @property
    def destroyed(self):
        return [b["blueprint_name"] for b in self.bodies("/destroy")]

    # --- the protocol

    def record(self, method, path, body):
        with self._lock:
            self.requests.append(Request(method, path, body, time.monotonic()))

    def violation(self, text):
        with self._lock:
            self.violations.append(text)

    def _homeserver(self, name):
        return {"BaseURL": f"http://localhost:{next(self._ports)}",
                "FedBaseURL": f"https://localhost:{next(self._ports)}",
                "ContainerID": f"c0ffee-{name}", "AccessTokens": {},
                "ApplicationServices": {}}

    def _begin(self, name):
        """Take the Name and the next mode: (mode, whether the Name was used before)."""
        with self._lock:
            mode = self.modes[min(self._turn, len(self.modes) - 1)]
            self._turn += 1
            if mode == "lying":
                mode = ("lying-server", "lying-url")[self._turn % 2]
            used = name in self._names
            self._names.add(name)
            self._known.add(name)
            self.creating += 1
            if mode not in ("fail", "error500"):
                self._making += 1
            self.most_at_once = max(self.most_at_once, self._making + len(self.deployments))
            return mode, used

    def _end(self, name, mode, servers):
        """The containers are up (servers), or nothing came of it (None)."""
        with self._lock:
            if mode not in ("fail", "error500"):
                self._making -= 1
            if servers is not None:
                self.deployments[name] = servers

    def create(self, handler, body):
        mistakes = blueprint_mistakes(body)
        if mistakes:
            for mistake in mistakes:
                self.violation(f"create: {mistake}")
            handler.answer(400, {"message": "; ".join(mistakes)})
            return
        name = body["blueprint"]["Name"]
        wanted = [server["Name"] for server in body["blueprint"]["Homeservers"]]
        mode, used = self._begin(name)
        try:
            self._create(handler, name, wanted, mode, used)
        finally:
            with self._lock:
                self.creating -= 1

    def _create(self, handler, name, wanted, mode, used):
        if mode in ("slow", "late-error") or used:
            self.cancelled.wait(self.delay() if callable(self.delay) else self.delay)
        elif mode == "silent":
            self.cancelled.wait(60)
        up = mode not in ("fail", "error500", "late-error", "silent") and not used
        servers = {one: self._homeserver(one) for one in wanted} if up else None
        self._end(name, mode, servers)
        if used:
            self.violation(f"create: the Name {name!r} was used before")
            handler.answer(500, {"message": f"{name}: the network exists already"})
        elif mode == "fail":
            handler.answer(400, {"message": "no such image: shed your tears"})
        elif mode in ("error500", "late-error"):
            handler.answer(500, {"message": "docker has gone for lunch"})
        elif mode == "garbage":
            handler.answer(200, b"\x00<html>surely no JSON", "text/html")
        elif mode == "silent":
            handler.close_connection = True
        else:
            self._reply(handler, servers, mode)

    def _reply(self, handler, servers, mode):
        servers = dict(servers)
        first = next(iter(servers))
        if mode == "lying-server":
            servers["somebody_else"] = servers.pop(first)
        elif mode == "lying-url":
            servers[first] = dict(servers[first], BaseURL="over there, on the left")
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1800))
        reply = json.dumps({"homeservers": servers, "expires": expires}).encode()
        if mode != "half":
            handler.answer(200, reply)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(reply)))
        handler.end_headers()
        handler.wfile.write(reply[:len(reply) // 2])
        handler.wfile.flush()
        handler.close_connection = True

    def destroy(self, handler, body):
        name = body.get("blueprint_name") if isinstance(body, dict) else None
        if not isinstance(name, str) or set(body) != {"blueprint_name"}:
            self.violation(f"destroy: want {{'blueprint_name': …}}, not {body!r}")
            handler.answer(400, {"message": "want a blueprint_name"})
            return
        with self._lock:
            known = name in self._known
            found = None if self.destroy_fails else self.deployments.pop(name, None)
        if not known and not self.killed:
            self.violation(f"destroy: {name!r} was never created")
        if found is None:
            handler.answer(500, {"message": f"{name}: no such deployment"})
        else:
            handler.answer(200, {})


def main():
    parser = argparse.ArgumentParser(description="A stand-in for homerunner.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--mode", default="good", help="one, or several separated by "
                        "commas, one for each create: " + ", ".join(MODES))
    parser.add_argument("--delay", type=float, default=10, help="of slow and late-error, s")
    parser.add_argument("--lifetime", type=float, default=120, help="stop by itself, s")
    options = parser.parse_args()
    try:
        homerunner = Homerunner(options.mode, options.delay, options.port)
    except ValueError as wrong:
        parser.error(str(wrong))
    with homerunner:
        print(homerunner.url, flush=True)
        try:
            threading.Event().wait(options.lifetime)
        except KeyboardInterrupt:
            pass
    for violation in homerunner.violations:
        print(f"violation: {violation}", file=sys.stderr)
    if homerunner.deployments:
        print("left: " + " ".join(sorted(homerunner.deployments)), file=sys.stderr)
    return 1 if homerunner.violations else 0


if __name__ == "__main__":
    sys.exit(main())
