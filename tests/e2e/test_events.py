# SPDX-License-Identifier: Apache-2.0
"""Who follows /status/events: what is heard, and by whom; who comes back, reads slowly, or
is one too many; what becomes of it when the server ends."""
import http.client
import json
import re
import signal
import socket

from harness import (DAEMON, PATIENCE, ServerTest, duet, raw_socket, request, solo,
                     wait_until)

DEAF = 200  # subscribers that never read
EVENTS = b"GET /status/events HTTP/1.1\r\nHost: a\r\n\r\n"


class Stream:
    """A subscriber. Its events are (id, name, data); comments are left out, but counted."""

    def __init__(self, url, last=None):
        self.link = http.client.HTTPConnection(*url.removeprefix("http://").split(":"),
                                               timeout=20 * PATIENCE)
        self.link.request("GET", "/status/events",
                          headers={"Last-Event-ID": last} if last else {})
        self.answer = self.link.getresponse()
        self.last = last
        self.comments = 0

    def close(self):
        self.answer.close()
        self.link.close()

    def line(self):
        line = self.answer.readline().decode()
        if not line:
            raise EOFError("the stream has ended")
        return line.rstrip("\n")

    def block(self):
        """The lines up to the next empty one."""
        lines = []
        while line := self.line():
            lines.append(line)
        return lines

    def next(self):
        while True:
            fields = {}
            for line in self.block():
                name, _, value = line.partition(":")
                fields[name] = value.lstrip()
            self.comments += "" in fields
            self.last = fields.get("id", self.last)
            if "data" in fields:
                return fields["id"], fields["event"], json.loads(fields["data"])

    def expect_reset(self):
        name, data = self.next()[1:]
        if name != "reset":
            raise AssertionError(f"no reset, but {name}: {data}")
        return data

    def until(self, kind, **members):
        """Listen until a thing of this kind ("cases") is told of with these members; gives
        all things of the kind that were told of meanwhile."""
        seen = []
        while True:
            name, data = self.next()[1:]
            if name != "change":
                raise AssertionError(f"{name} instead of {kind} {members}")
            seen += data[kind]
            if any(members.items() <= thing.items() for thing in data[kind]):
                return seen


class EventsTest(ServerTest):
    def follow(self, last=None):
        stream = Stream(self.daemon.url, last)
        self.addCleanup(stream.close)
        self.assertEqual(stream.answer.status, 200)
        self.assertEqual(stream.answer.getheader("Content-Type"), "text/event-stream")
        return stream

    def fresh(self):
        stream = self.follow()
        stream.expect_reset()
        return stream


class FollowTest(EventsTest):
    def test_a_case_from_its_clients_to_its_end(self):
        self.start(duet())
        stream = self.fresh()
        case = self.daemon.case()["id"]
        run = self.daemon.status()["run"]["id"]
        red, green = self.pair()
        stream.until("clients", id=green.id, state="playing")
        red.act("dance", "danced")
        self.assertIn({"id": case, "run": run, "state": "running"}, stream.until(
            "cases", id=case, state="running"))
        green.act("sing", "sung")
        stream.until("cases", id=case, run=run, state="success")
        self.assertTrue(self.daemon.status()["server"]["done"])

    def test_a_run_that_is_asked_for(self):
        self.start(solo(), config={"tests": {"autostart": "no"}})
        stream = self.fresh()
        run = request(self.daemon.url, "POST", "/runs", {}).json["id"]
        stream.until("runs", id=run, state="running")
        client = self.client()
        client.expect("dance")
        seen = stream.until("clients", id=client.id, state="playing")
        self.assertEqual({client.id}, {thing["id"] for thing in seen})
        client.error("other", "it has no more battery")
        stream.until("runs", id=run, state="ended")

    def test_many_changes_are_few_messages(self):
        self.start(solo(), config={"tests": {"repeat": 300}})
        stream = self.fresh()
        run = self.daemon.status()["run"]["id"]
        cancelled = request(self.daemon.url, "POST", f"/runs/{run}/cancel", {})
        self.assertEqual(cancelled.status, 200)
        data = {"cases": []}
        while not data["cases"]:  # the start may come first
            data = stream.next()[2]
        self.assertEqual((len(data["cases"]), data["more"]), (100, True))
        self.assertIn({"id": run, "state": "ended"}, data["runs"])

    def test_ids_grow_and_the_latest_goes_on(self):
        self.start(solo())
        stream = self.fresh()
        ids = []
        for name in ("one", "two", "three"):
            self.client("element-ios", id=name)
            stream.until("clients", id=name)
            ids.append(stream.last)
        epochs, numbers = zip(*(re.fullmatch(r"([0-9a-f]+)-(\d+)", i).groups() for i in ids))
        self.assertEqual(len(set(epochs)), 1)
        self.assertEqual(sorted(map(int, numbers)), list(map(int, numbers)))
        again = self.follow(ids[0])
        self.assertEqual([again.next()[0], again.next()[0]], ids[1:])
        self.client("element-ios", id="four")
        again.until("clients", id="four")

    def test_foreign_and_broken_ids_are_told_to_fetch_anew(self):
        self.start(solo())
        known = self.fresh().last
        for last in ("0-1", "x", known + "1", known.replace("-", " "), "-" * 500, "é"):
            with self.subTest(last=last):
                self.follow(last.encode("utf-8").decode("latin-1")).expect_reset()

    def test_heartbeats(self):
        self.start(solo(), config={"timeouts": {"heartbeat": "50ms"}})
        stream = self.fresh()
        self.assertEqual([stream.block(), stream.block()], [[":"], [":"]])
        self.client(id="one")
        stream.until("clients", id="one", state="playing")


class BoundsTest(EventsTest):
    def test_one_too_many(self):
        self.start(solo(), config={"limits": {"subscribers": 2}})
        first = self.fresh()
        self.fresh()
        refused = self.daemon.get("/status/events")
        self.assertEqual(refused.status, 503)
        self.assertIn("[limits] subscribers", refused.json["detail"])
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        first.close()

        def room():
            stream = Stream(self.daemon.url)
            self.addCleanup(stream.close)
            return stream.answer.status == 200

        wait_until(room, 10, "the place of who has left")

    def test_head(self):
        self.start(solo(), config={"limits": {"subscribers": 0}})
        self.assertEqual(request(self.daemon.url, "HEAD", "/status/events").status, 503)
        self.assertEqual(request(self.daemon.url, "POST", "/status/events").status, 405)

    def memory(self):
        """What the server has in memory, in bytes."""
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024

    def test_who_does_not_read_costs_little(self):
        """Many never read, while more is said than could be kept for all of them."""
        if b"__asan_" in DAEMON.read_bytes() or b"__tsan_" in DAEMON.read_bytes():
            self.skipTest("a sanitizer keeps what was freed")
        self.start(solo(), config={"tests": {"autostart": "no"}})
        host, port = self.daemon.url.removeprefix("http://").split(":")
        for _ in range(DEAF):
            sock = socket.socket()
            self.addCleanup(sock.close)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect((host, int(port)))
            sock.sendall(EVENTS)
        stream = self.fresh()
        before = self.memory()
        said = 0
        client = self.client("element-ios")
        while said < 360_000:
            for number in range(90):
                client.id = f"{number:0120}"
                client.register()
            said += len(json.dumps(stream.until("clients", id=client.id)))
        self.assertLess(self.memory() - before, DEAF * 100_000)
        self.assertEqual(self.daemon.get("/healthz").status, 200)


class EndTest(EventsTest):
    def begin(self, **more):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        self.more = {"config": {"server": {"listen": f"127.0.0.1:{self.port}"}}, **more}
        return self.start(solo(), **self.more)

    def test_the_end_is_not_held_up(self):
        """Also by who does not read; streams end, and end well."""
        self.begin()
        stream = self.fresh()
        with raw_socket(self.daemon.url) as deaf:
            deaf.sendall(EVENTS)
            self.fresh()
            self.daemon.stop()
        with self.assertRaises(EOFError):
            while True:
                stream.next()

    def test_a_restart_is_a_gap(self):
        self.begin(expect=None)
        stream = self.fresh()
        self.client("element-ios", id="one")
        stream.until("clients", id="one")
        self.daemon.signal(signal.SIGUSR1)
        self.assertEqual(self.daemon.wait(), 0)
        with self.assertRaises(EOFError):
            while True:
                stream.next()
        self.start(**self.more)
        again = self.follow(stream.last)
        again.expect_reset()
        self.assertNotEqual(again.last.split("-")[0], stream.last.split("-")[0])
        self.client("element-ios", id="two")
        again.until("clients", id="two", state="waiting")

    def test_once_waits_for_who_looks_on(self):
        """A page may fetch the end of a run before the server is gone."""
        self.start(solo(), options=["--once"])
        stream = self.fresh()
        run = self.daemon.status()["run"]["id"]
        client = self.client()
        client.act("dance", "danced")
        self.assertIsNotNone(client.expect_exit())
        stream.until("runs", id=run, state="ended")
        page = self.daemon.get("/status", headers={"Accept": "text/html"})
        self.assertIn(b"All done", page.body)
        self.daemon.wait(20)


class PageTest(EventsTest):
    def test_pages_say_what_they_are_about(self):
        self.start(solo())
        case = self.daemon.case()["id"]
        html = {"Accept": "text/html"}
        board = self.daemon.get("/status", headers=html).body.decode()
        self.assertIn('<main data-live="">', board)
        self.assertIn('<noscript><meta http-equiv="refresh"', board)
        self.assertIn('src="/static/live.js"', board)
        self.client().expect("dance")
        page = f"/status/{case}/status"
        self.assertIn(f'<main data-live="{case}">',
                      self.daemon.get(page, headers=html).body.decode())
        script = self.daemon.get("/static/live.js")
        self.assertLess(len(script.body), 50_000)
        self.assertTrue(script.headers["Content-Type"].startswith("text/javascript"))
