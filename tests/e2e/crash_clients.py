#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that outlive the server: each is a process that registers, polls, works and
reports as an adapter does, and asks again, with the very same request, when the server has
gone in the middle of it. After `exit` it registers anew under another id.

What was answered is in the client's own log, a line of JSON each, written before it goes
on. All end when their standard input does.

    crash_clients.py FOLDER URL SEED TYPE…      (a process for each type)
"""
import http.client
import json
import os
import random
import select
import signal
import socket
import sys
import urllib.parse

PATIENCE = float(os.environ.get("E2E_PATIENCE") or 1)
ANSWER_S = 60 * PATIENCE
LONGEST_S = 900 * PATIENCE


class Finished(Exception):
    """Standard input has ended: so does the client."""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=ANSWER_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_S)
        self.sock.connect(self.path)


class CrashClient:
    def __init__(self, folder, url, seed, number, kind):
        self.url = url
        self.kind = kind
        self.number = number
        self.dice = random.Random(f"{seed} {number}")
        self.link = None
        self.id = None
        self.reported = set()  # deliveries that were reported, and taken
        self.log = os.open(f"{folder}/client-{number:03d}.log",
                           os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    # --- what is left behind

    def note(self, what, **more):
        line = json.dumps({"what": what, "client": self.id, **more}) + "\n"
        os.write(self.log, line.encode())

    def rest(self, seconds):
        if select.select([0], [], [], seconds)[0]:
            raise Finished

    # --- HTTP

    def connect(self):
        if self.url.startswith("unix:"):
            return UnixConnection(self.url[len("unix:"):])
        parts = urllib.parse.urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=ANSWER_S)

    def call(self, method, verb, body=None, headers=None):
        """Ask until there is an answer: (status, value, how often the request was lost)."""
        lost = 0
        while True:
            self.rest(0)
            try:
                self.link = self.link or self.connect()
                self.link.request(method, f"/client/{self.id}/{verb}", body, headers or {})
                reply = self.link.getresponse()
                text = reply.read()
                if reply.status != 503:
                    return reply.status, json.loads(text), lost
                self.rest(0.2)  # it leaves, or has no room
            except (OSError, http.client.HTTPException):
                self.link.close()
                self.link = None
                self.rest(0.05)
            lost += 1

    def post(self, verb, value):
        return self.call("POST", verb, json.dumps(value).encode(),
                         {"Content-Type": "application/json"})

    # --- what adapters do

    def register(self):
        self.id = f"{self.number:03d}-{self.dice.getrandbits(64):016x}"
        status, answer, lost = self.post("register", {"type": self.kind})
        self.note("registered", status=status, lost=lost)
        # One that was taken though its answer was lost may have a role by now.
        if status != 200 and not (status == 409 and lost):
            self.note("wrong", text=f"register got {status}: {answer}")

    def upload(self):
        token = f"{self.dice.getrandbits(64):016x}"
        body = (f"--frontier\r\nContent-Disposition: form-data; name=\"file\"; "
                f"filename=\"{token}.txt\"\r\n\r\n{token * 100}\r\n--frontier--\r\n")
        status, answer, lost = self.call(
            "POST", "upload", body.encode(),
            {"Content-Type": "multipart/form-data; boundary=frontier"})
        self.note("uploaded", token=token, status=status, lost=lost)
        if status != 200:
            self.note("wrong", text=f"upload got {status}: {answer}")

    def report(self, action, what="reported"):
        response = (action["responses"] or ["done"])[0]
        if self.dice.random() < 0.02:
            response = "failed"
        token = f"{self.dice.getrandbits(64):016x}"
        self.note("reports", token=token, delivery=action["id"])
        status, answer, lost = self.post(
            "report", {"id": action["id"], "response": response, "token": token})
        self.note(what, token=token, delivery=action["id"], response=response,
                  status=status, lost=lost)
        if status == 200:
            self.reported.add(action["id"])
        # 409: the case has ended meanwhile, by a report of somebody else.
        elif status != 409 or what != "reported":
            self.note("wrong", text=f"{what}: got {status}: {answer}")
        return status

    def work(self, action):
        if action["id"] in self.reported:
            self.note("wrong", text=f"asked again for {action['id']}, which was reported")
        self.rest(self.dice.uniform(0, 0.4))
        if self.dice.random() < 0.1:
            self.upload()
        if self.report(action) == 200 and self.dice.random() < 0.1:
            self.rest(self.dice.uniform(0, 0.1))
            self.report(action, "repeated")

    def live(self):
        """From the registration to the exit."""
        self.register()
        while True:
            status, action, _ = self.call("GET", "poll?wait=2")
            if status != 200:
                self.note("wrong", text=f"a poll got {status}: {action}")
                self.rest(1)
            elif action["action"] == "exit":
                self.note("exit", reason=action["data"]["reason"])
                return
            elif action["action"] != "idle":
                self.work(action)

    def run(self):
        try:
            while True:
                self.live()
                if self.dice.random() < 0.05:
                    self.upload()
        except Finished:
            self.note("finished")


def main():
    folder, url, seed, *kinds = sys.argv[1:]
    children = []
    for number, kind in enumerate(kinds):
        child = os.fork()
        if child == 0:
            signal.alarm(int(LONGEST_S))
            CrashClient(folder, url, seed, number, kind).run()
            os._exit(0)
        children.append(child)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return 1 if any(ended) else 0


if __name__ == "__main__":
    sys.exit(main())
