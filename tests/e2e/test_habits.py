# SPDX-License-Identifier: Apache-2.0
"""The adapters that exist, each with its habits: they run as they are.

None of them knows deliveries' ids, `responses` or `?wait`; they report to /respond, sleep
when told to idle and take any status but 200 as the end of everything.
"""
import itertools
import json
import socket
import time
import unittest
import urllib.parse
import uuid

from adapters import multipart, png
from harness import (OWN_ACTIONS, PATIENCE, ServerTest, connection, does, exchange, later,
                     raw_socket, read_all, solo, state, together, wait_until)
from matrix_standin import Matrix

ONE_SERVER = {"type": "synapse", "names": ["server"]}
ROOM = "little test room"
SCREAM = {"scream": {"description": "Is loud.", "responses": ["screamed"],
                     "types": ["element-web"]}}


def story(*steps, clients, name="Habits", **more):
    return {"name": name, "clients": {role: [type] for role, type in clients.items()},
            "actions": {**OWN_ACTIONS, **SCREAM}, "steps": list(steps), **more}


class Stopped(Exception):
    """The adapter has given up, as it does when it gets another status than 200."""


class Adapter:
    """What all have in common: a connection for each request, JSON both ways."""
    type = None
    registration = {"version": "1.0"}
    responses = {}

    def __init__(self, url):
        self.url = url
        self.id = str(uuid.uuid4())
        self.did = []  # actions, but for idle
        self.slept = 0  # how often it would have slept

    def link(self, verb):
        """The connection for this request, and whether it is closed afterwards."""
        return connection(self.url, 40), True

    def headers(self, verb, once):
        return {"Connection": "close"} if once else {"Connection": "keep-alive"}

    def ask(self, method, verb, body=None, **headers):
        link, once = self.link(verb)
        try:
            answer = exchange(link, method, f"/client/{self.id}/{verb}", body,
                              {**self.headers(verb, once), **headers})
        finally:
            if once:
                link.close()
        if answer.status != 200:
            raise Stopped(f"{verb} got {answer.status}: {answer.body!r}")
        if not answer.headers["Content-Type"].startswith("application/json"):
            raise Stopped(f"{verb} got {answer.headers['Content-Type']}")
        return answer

    def register(self):
        self.ask("POST", "register", {"type": self.type, **self.registration})
        return self

    def poll(self):
        return self.ask("GET", "poll").json

    def sleep(self, data):
        """They sleep 5 s; a test that took so long would be no better."""
        self.slept += 1

    def run(self):
        """The loop that ends with exit, or with Stopped."""
        while True:
            found = self.poll()
            action, data = found["action"], found["data"]
            if action == "exit":
                self.on_exit()
                return self
            if action == "idle":
                self.sleep(data)
                continue
            self.did.append(action)
            self.handle(action, data)

    def handle(self, action, data):
        self.respond(self.responses[action])

    def respond(self, response, **members):
        self.ask("POST", "respond", {"response": response, **members})

    def upload(self, files):
        kind, body = multipart(files)
        self.ask("POST", "upload", body, **{"Content-Type": kind})

    def on_exit(self):
        pass

    def close(self):
        pass


class ElementWeb(Adapter):
    """Keeps a connection for polls and responds, uploads when all is over, comes back."""
    type = "element-web"
    responses = {"register": "registered", "login": "logged_in", "dance": "danced",
                 "create_room": "room_created", "send_message": "message_sent"}
    breaks = ()  # actions whose handler fails

    def __init__(self, url):
        super().__init__(url)
        self.kept = connection(url, 30)  # Cypress gives up after 30 s
        self.lives = [self.id]

    def close(self):
        self.kept.close()

    def link(self, verb):
        return ((self.kept, False) if verb in ("poll", "respond")
                else (connection(self.url), True))

    def handle(self, action, data):
        if action in self.breaks:
            self.upload({"out.txt": b"it broke\n"})
            self.ask("POST", "error", {"error": {
                "type": "unknown", "details": "Timed out retrying after 4000ms: <button>",
                "path": "cypress/e2e/trafficlight.spec.ts:12"}})
            raise Stopped(action)
        if action not in self.responses:
            self.again()  # gives up silently
            return
        super().handle(action, data)

    def again(self):
        self.id = str(uuid.uuid4())
        self.lives.append(self.id)
        self.register()

    def on_exit(self):
        self.upload({"out.txt": f"{self.id}\n".encode() * 500})
        self.upload({"trafficlight.spec.ts.mp4": b"\0\0\0 ftypisom" + bytes(200000)})


class Hydrogen(Adapter):
    type = "hydrogen-web"
    responses = {"login": "loggedin", "create_room": "room_created",
                 "open_room": "room-opened", "dance": "danced"}
    breaks = ()

    def handle(self, action, data):
        if action in self.responses or action in self.breaks:
            self.respond("error" if action in self.breaks else self.responses[action])
        # else it polls again at once, for ever


class ElementCall(Adapter):
    type = "element-call"
    registration = {"url": "https://call.example/"}
    snapshot = "6e1d7b2c.png"
    breaks = ()

    def handle(self, action, data):
        if action in self.breaks:
            self.ask("POST", "error", {"error": {
                "type": "adapter", "details": "TimeoutError: waiting for locator",
                "path": "Traceback (most recent call last)"}})
            raise Stopped(action)
        if action == "get_lobby_data":
            self.upload({self.snapshot: png("blue")})
            self.respond(action, data={"snapshot": self.snapshot, "muted": False,
                                       "call_name": "tl_chat"},
                         _upload_files={self.snapshot: f"/tmp/x/{self.snapshot}"})
        else:
            self.respond(action)

    def on_exit(self):
        for number in range(2):
            self.upload({f"screencast_{number}.webm": b"\x1aE\xdf\xa3" + bytes(100000)})


class Phone(Adapter):
    """Reports without any body, sleeps as long as it is told to, ignores what fails."""
    type = "element-android"

    def headers(self, verb, once):
        return {"Connection": "keep-alive"}  # and closes all the same

    def sleep(self, data):
        self.slept += 1
        if not 0 <= data["delay"] <= 60000:
            raise Stopped(f"can't sleep for {data['delay']!r}")
        time.sleep(min(data["delay"], 200) / 1000)

    def handle(self, action, data):
        json.dumps(data.get("username"))  # dies if there is no object
        parts = urllib.parse.urlsplit(self.url)
        with raw_socket(self.url) as sock:
            sock.sendall(f"POST /client/{self.id}/respond HTTP/1.1\r\n"
                         f"Host: {parts.netloc}\r\nConnection: keep-alive\r\n"
                         "Content-Length: 0\r\n\r\n".encode())
            answer = b""
            while b"\r\n\r\n{}" not in answer:
                piece = sock.recv(4096)
                if not piece:
                    raise Stopped(answer)
                answer += piece
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise Stopped(answer)


class NetworkProxy(Adapter):
    type = "network-proxy"
    registration = {"endpoint": "http://localhost:9009/"}
    responses = {"proxyTo": "proxyToSet", "disableEndpoint": "endpointDisabled",
                 "enableEndpoint": "endpointEnabled", "delayEndpoint": "endpointDelayed",
                 "undelayEndpoint": "endpointUndelayed",
                 "waitUntilEndpointAccessed": "endpointAccessed"}

    def __init__(self, url):
        super().__init__(url)
        self.asked = []

    def handle(self, action, data):
        self.asked.append((action, data))
        super().handle(action, data)


class PythonClient(Adapter):
    """Written in Python in a hurry: requests.post(url, data={…})."""
    type = "element-web"

    def register(self):
        self.form("register", type=self.type, version="a&b=c \u00fc")
        return self

    def handle(self, action, data):
        self.form("respond", response="danced", note="100 % \u00fc", empty="")

    def form(self, verb, **members):
        self.ask("POST", verb, urllib.parse.urlencode(members),
                 **{"Content-Type": "application/x-www-form-urlencoded"})


class HabitTest(ServerTest):
    def begin(self, *steps, clients, config=None, **more):
        self.start(story(*steps, clients=clients, **more), config=config)

    def adapter(self, kind, **more):
        made = kind(self.daemon.url)
        self.addCleanup(made.close)
        vars(made).update(more)
        return made.register()

    def stops(self, adapter):
        with self.assertRaises(Stopped) as caught:
            adapter.run()
        return str(caught.exception)

    def file(self, name):
        """A file of the first case, as it is served."""
        return self.daemon.get(f"/status/{self.daemon.case()['id']}/files/{name}")


class ElementWebTest(HabitTest):
    def test_a_whole_life_and_the_next(self):
        self.begin({"red": "register"}, {"red": "create_room", "data": {"name": ROOM}},
                   clients={"red": "element-web"}, servers=ONE_SERVER,
                   config={"tests": {"repeat": 3}})
        red = self.adapter(ElementWeb)
        for round in range(3):
            red.run()
            case = self.daemon.wait_case("success", index=round)
            self.assertEqual(case["roles"]["red"]["client"], red.id)
            self.assertEqual(set(case["files"]),
                             {"red_out.txt", "red_trafficlight.spec.ts.mp4"})
            if round < 2:
                red.again()
        self.assertEqual(red.did, ["register", "create_room"] * 3)
        self.assertEqual(len(set(red.lives)), 3)
        out = self.file("red_out.txt")
        self.assertEqual(out.body, f"{red.lives[0]}\n".encode() * 500)
        self.assertEqual(out.headers["X-Content-Type-Options"], "nosniff")
        self.assertRegex(out.headers["Content-Disposition"], "^attachment")
        self.assertEqual(len(self.file("red_trafficlight.spec.ts.mp4").body), 200012)

    def test_one_connection_for_all_polls_and_responds(self):
        self.begin({"repeat": 5, "as": "i", "steps": [{"red": "dance"}]},
                   clients={"red": "element-web"})
        red = self.adapter(ElementWeb)
        red.kept.connect()
        kept = red.kept.sock
        found = red.poll()
        for _ in range(4):
            red.respond("danced")
            found = red.poll()
            self.assertIs(red.kept.sock, kept)
        self.assertEqual(found["action"], "dance")

    def test_a_handler_that_fails(self):
        self.begin({"red": "dance"}, {"red": "send_message", "data": {"message": "hi"}},
                   clients={"red": "element-web"})
        red = self.adapter(ElementWeb, breaks=("send_message",))
        self.assertEqual(self.stops(red), "send_message")
        case = self.assertOutcome("error", "Timed out retrying after 4000ms")
        self.assertEqual(case["files"], ["red_out.txt"])
        self.assertEqual(self.file("red_out.txt").body, b"it broke\n")

    def test_an_action_that_it_does_not_know(self):
        """It gives up without a word and comes back with a new id."""
        self.start(story({"red": "scream", "timeout": "700ms"},
                         clients={"red": "element-web"}, name="A"),
                   story({"red": "dance"}, clients={"red": "element-web"}, name="B"))
        red = self.adapter(ElementWeb)
        red.run()
        self.assertEqual(red.did, ["scream", "dance"])
        self.assertOutcome("error", "red", "scream")
        self.daemon.wait_case("success", index=1)

    def test_uploads_after_a_case_that_ended_badly(self):
        self.begin({"parallel": [{"red": "dance"}, {"green": "dance"}]},
                   clients={"red": "element-web", "green": "hydrogen-web"})
        red, green = self.adapter(ElementWeb), self.adapter(Hydrogen, breaks=("dance",))
        green.run()
        red.run()
        self.assertEqual(len(self.assertOutcome("error", "green")["files"]), 2)


class HydrogenTest(HabitTest):
    def test_its_names_of_responses(self):
        with Matrix("hs1") as matrix:
            self.begin({"red": "register"},
                       {"red": "create_room", "data": {"name": ROOM}},
                       {"red": "open_room", "data": {"name": ROOM},
                        "expect": "room_opened"},
                       clients={"red": "hydrogen-web"}, servers=ONE_SERVER,
                       config={"server-type synapse": {"servers": f"hs1={matrix.url}"}})
            red = self.adapter(Hydrogen).run()
        self.assertEqual(red.did, ["login", "create_room", "open_room"])
        self.assertOutcome("success")

    def test_its_names_in_a_machine_of_states(self):
        states = {"one": state(red=does("login", {"logged_in": "two"})),
                  "two": state(red=does("open_room", {"room_opened": "complete"},
                                        data={"name": "x"}))}
        self.start({"name": "Habits", "clients": {"red": ["hydrogen-web"]},
                    "servers": ONE_SERVER, "initial": "one", "states": states})
        self.adapter(Hydrogen).run()
        self.assertOutcome("success")

    def test_a_handler_that_fails(self):
        self.begin({"red": "open_room", "data": {"name": "x"}},
                   clients={"red": "hydrogen-web"})
        self.adapter(Hydrogen, breaks=("open_room",)).run()
        self.assertOutcome("error", "red", "open_room")


class SpinTest(HabitTest):
    def test_polling_without_pause_on_an_unknown_action(self):
        self.begin({"parallel": [{"red": "scream", "timeout": "3500ms"},
                                 {"green": "dance"}]},
                   clients={"red": "hydrogen-web", "green": "element-web"})
        red, green = self.adapter(Hydrogen), self.adapter(ElementWeb)
        spinning = later(red.run)
        wait_until(lambda: len(red.did) >= 4)
        begun = time.monotonic()
        green.handle("dance", green.poll()["data"])
        self.assertLess(time.monotonic() - begun, 0.5 * PATIENCE)
        spinning.result(20)
        # Five at once, then one in a second.
        self.assertLess(len(red.did), 12)
        self.assertGreater(len(red.did), 5)
        self.assertEqual(set(red.did), {"scream"})
        self.assertOutcome("error", "red", "scream")

    def test_many_that_spin_hold_up_nobody(self):
        spinners = {f"red{i}": "hydrogen-web" for i in range(15)}
        self.begin({"parallel": [*[{role: "scream"} for role in spinners],
                                 {"green": "dance"}]},
                   {"repeat": 20, "as": "i", "steps": [{"green": "dance"}]},
                   clients={**spinners, "green": "element-web"},
                   config={"timeouts": {"step": "2s"}})
        reds = [self.adapter(Hydrogen) for _ in spinners]
        self.adapter(ElementWeb)
        begun = time.monotonic()
        spinning = [later(red.run) for red in reds]
        wait_until(lambda: all(len(red.did) >= 4 for red in reds))
        for _ in range(20):
            self.assertEqual(self.daemon.get("/healthz").status, 200)
        for one in spinning:
            one.result(20)
        seconds = time.monotonic() - begun
        self.assertLess(sum(len(red.did) for red in reds), 15 * (6 + 2 * seconds))


class ElementCallTest(HabitTest):
    STEPS = [{"alice": "get_lobby_data", "save": "lobby"},
             {"assert": {"all": [
                 {"colour": ["alice_${lobby.data.snapshot}", "blue"]},
                 {"equals": ["${lobby.data.call_name}", "tl_chat"]}]}},
             {"alice": "lobby_join"}]

    def test_snapshots_come_before_the_report_that_names_them(self):
        self.begin(*self.STEPS, clients={"alice": "element-call"})
        alice = self.adapter(ElementCall).run()
        self.assertEqual(alice.did, ["get_lobby_data", "lobby_join"])
        case = self.assertOutcome("success")
        self.assertEqual(set(case["files"]),
                         {"alice_6e1d7b2c.png", "alice_screencast_0.webm",
                          "alice_screencast_1.webm"})
        self.assertEqual(self.file("alice_6e1d7b2c.png").body, png("blue"))
        self.assertEqual(len(self.file("alice_screencast_1.webm").body), 100004)

    def test_the_same_name_again_replaces(self):
        self.begin(*self.STEPS[:2], {"alice": "lobby_join"}, {"assert": {
            "colour": [f"alice_{ElementCall.snapshot}", "green"]}},
                   clients={"alice": "element-call"})
        alice = self.adapter(ElementCall)
        alice.handle(alice.poll()["action"], {})
        self.assertEqual(alice.poll()["action"], "lobby_join")
        alice.upload({alice.snapshot: png("green")})
        alice.run()
        self.assertOutcome("success")

    def test_every_colour(self):
        colours = ["red", "green", "blue", "initial", "connecting"]
        for colour in colours:
            with self.subTest(colour):
                self.assertEqual(self.seen_as(colour, colours), [colour])

    def seen_as(self, colour, colours):
        """The colours for which the condition holds when this one was uploaded."""
        if self.daemon is not None:
            self.daemon.stop()
            for path in self.suites.rglob("*_test.json"):
                path.unlink()
        self.begin({"alice": "lobby_join"}, *[
            {"check": {"not": {"colour": ["alice_x.png", one]}}, "name": f"not {one}"}
            for one in colours], clients={"alice": "element-call"})
        alice = self.adapter(ElementCall)
        alice.poll()
        alice.upload({"x.png": png(colour)})
        alice.respond("lobby_join")
        alice.poll()
        message = self.daemon.wait_case("failed")["message"]
        self.assertIn("1 check", message)
        return [one for one in colours if f"not {one}" in message]

    def test_a_handler_that_fails(self):
        self.begin(*self.STEPS, clients={"alice": "element-call"})
        self.stops(self.adapter(ElementCall, breaks=("lobby_join",)))
        case = self.assertOutcome("error", "TimeoutError: waiting for locator")
        self.assertEqual(case["files"], ["alice_6e1d7b2c.png"])

    def test_an_upload_before_there_is_a_case(self):
        self.begin(*self.STEPS, clients={"alice": "element-call", "bob": "element-call"})
        alice = self.adapter(ElementCall)
        with self.assertRaises(Stopped) as caught:
            alice.upload({"x.png": png("red")})
        self.assertIn("409", str(caught.exception))


class PhoneTest(HabitTest):
    def test_reports_without_a_body(self):
        with Matrix("hs1") as matrix:
            self.begin({"parallel": [{"red": "register"}, {"green": "register"}]},
                       {"green": "start_crosssign"}, {"red": "verify_crosssign_emoji"},
                       {"green": "open_room", "data": {"name": ROOM}},
                       {"red": "logout", "expect": "logged_out"},
                       clients={"red": "element-android", "green": "element-ios"},
                       servers=ONE_SERVER, config={
                           "server-type synapse": {"servers": f"hs1={matrix.url}"},
                           "timeouts": {"long-poll": "300ms"}})
            red, green = self.adapter(Phone), self.adapter(Phone, type="element-ios")
            together(red.run, green.run)
        self.assertEqual(red.did, ["login", "verify_crosssign_emoji", "logout"])
        self.assertEqual(green.did, ["login", "start_crosssign", "open_room"])
        self.assertOutcome("success")

    def test_data_is_an_object_whatever_is_answered(self):
        """It dies of anything else: as an action, idle, and exit of each kind."""
        self.begin({"red": "dance"}, {"wait": "300ms"}, {"red": "logout"},
                   clients={"red": "element-android"},
                   config={"timeouts": {"long-poll": "0", "step": "2s"}})
        seen = {}
        stranger = Phone(self.daemon.url)
        red = self.adapter(Phone)
        waiting = self.adapter(Phone)
        for phone, answers in ((stranger, 1), (waiting, 1), (red, 1)):
            for _ in range(answers):
                found = phone.poll()
                seen.setdefault(found["action"], []).append(found["data"])
        red.handle("dance", {})
        for found in iter(red.poll, None):
            seen.setdefault(found["action"], []).append(found["data"])
            if found["action"] not in ("idle", "logout"):
                break
            if found["action"] == "logout":
                red.handle("logout", {})
        self.assertEqual(set(seen), {"dance", "idle", "logout", "exit"})
        for data in itertools.chain(*seen.values()):
            self.assertIsInstance(data, dict)
        for data in seen["idle"]:
            self.assertIsInstance(data["delay"], int)

    def test_it_sleeps_as_long_as_it_is_told(self):
        self.begin({"red": "dance"}, clients={"red": "element-ios"},
                   config={"timeouts": {"long-poll": "0"}})
        waiting = self.adapter(Phone)
        self.assertEqual(waiting.poll()["data"]["delay"], 5000)
        self.daemon.stop()
        self.start(config={"timeouts": {"long-poll": "300ms"}})
        begun = time.monotonic()
        self.assertEqual(self.adapter(Phone).poll()["data"]["delay"], 0)
        self.assertGreaterEqual(time.monotonic() - begun, 0.25)


class NetworkProxyTest(HabitTest):
    def test_what_it_is_asked(self):
        path = "/_matrix/client/r0/sendToDevice"
        steps = [("proxyTo", {"url": "${server.cs_api}"}),
                 ("disableEndpoint", {"endpoint": path}),
                 ("waitUntilEndpointAccessed", {"endpoint": path, "timeout": 100}),
                 ("enableEndpoint", {"endpoint": path}),
                 ("delayEndpoint", {"endpoint": path, "delay": 30000}),
                 ("undelayEndpoint", {"endpoint": path})]
        self.begin(*[{"network_proxy": action, "data": data} for action, data in steps],
                   {"red": "register", "on": "network_proxy"}, servers=ONE_SERVER,
                   clients={"red": "element-web", "network_proxy": "network-proxy"})
        red = self.adapter(ElementWeb)
        proxy = self.adapter(NetworkProxy)
        together(proxy.run, lambda: self.assertEqual(
            self.register_data(red)["homeserver_url"],
            {"local": "http://localhost:9009/", "local_docker": "http://10.0.2.2:9009/"}))
        steps[0] = ("proxyTo", {"url": "http://localhost:8008"})
        self.assertEqual(proxy.asked, steps)
        self.assertOutcome("success")

    @staticmethod
    def register_data(red):
        while (found := red.poll())["action"] == "idle":
            pass
        red.handle(found["action"], found["data"])
        return found["data"]

    def test_nobody_came(self):
        self.begin({"proxy": "waitUntilEndpointAccessed", "data": {"endpoint": "/x"}},
                   clients={"proxy": "network-proxy"})
        self.adapter(NetworkProxy, responses={"waitUntilEndpointAccessed": "error"}).run()
        self.assertOutcome("error", "proxy", "waitUntilEndpointAccessed")


class FormTest(HabitTest):
    def test_form_encoded_reports(self):
        self.begin({"red": "dance", "save": "seen"},
                   {"assert": {"all": [{"equals": ["${seen.note}", "100 % \u00fc"]},
                                       {"equals": ["${seen.empty}", ""]},
                                       {"equals": ["${red.registration.version}",
                                                   "a&b=c \u00fc"]}]}},
                   clients={"red": "element-web"})
        self.adapter(PythonClient).run()
        self.assertOutcome("success")


class CrowdTest(HabitTest):
    def test_a_connection_for_each_request(self):
        """Many of them, one after the other and at once, leave nothing open behind."""
        self.begin({"repeat": 25, "as": "i", "steps": [{"parallel": [
            {role: "dance"} for role in "abcdef"]}]},
            clients={role: "hydrogen-web" for role in "abcdef"})
        before = self.daemon.descriptors()
        players = [self.adapter(Hydrogen) for _ in "abcdef"]
        together(*[player.run for player in players])
        self.assertEqual([len(player.did) for player in players], [25] * 6)
        self.assertOutcome("success")
        wait_until(lambda: self.daemon.descriptors() <= before + 2, 10,
                   "the end of all connections")

    def test_one_that_does_not_close_its_side(self):
        self.start(solo())
        with raw_socket(self.daemon.url) as sock:
            sock.sendall(b"GET /client/x/poll HTTP/1.1\r\nHost: x\r\n"
                         b"Connection: close\r\n\r\n")
            self.assertIn(b'"exit"', read_all(sock))  # until the server closes

    def test_one_that_leaves_while_its_poll_is_held(self):
        self.begin({"red": "dance"}, {"wait": "300ms"}, {"red": "dance"},
                   clients={"red": "hydrogen-web"})
        red = self.adapter(Hydrogen)
        red.poll()
        red.respond("danced")
        with raw_socket(self.daemon.url) as sock:
            sock.sendall(f"GET /client/{red.id}/poll HTTP/1.1\r\n"
                         "Host: x\r\n\r\n".encode())
            sock.shutdown(socket.SHUT_RDWR)
        red.run()
        self.assertEqual(red.did, ["dance"])
        self.assertOutcome("success")


class EndTest(HabitTest):
    def test_who_waits_is_told_too_when_the_server_stops_by_itself(self):
        """It sleeps between its polls, and dies if nobody is there when it wakes."""
        self.start(solo(), options=("--once",), config={"timeouts": {"long-poll": "0"}})
        red = self.client()
        red.expect("dance")
        waiting = self.adapter(Phone)
        self.assertEqual(waiting.poll()["action"], "idle")
        red.report("danced")
        red.expect_exit()
        time.sleep(1)
        self.assertEqual(waiting.poll()["action"], "exit")
        self.assertEqual(self.daemon.wait(8), 0)


class WaitTest(HabitTest):
    def test_a_poll_is_never_held_for_30_seconds(self):
        """With the settings that nobody has changed, and a wait that nobody names."""
        self.begin({"red": "dance"}, {"green": "dance"},
                   clients={"red": "element-web", "green": "element-web"})
        red, green = self.adapter(ElementWeb), self.adapter(ElementWeb)
        self.assertEqual(red.poll()["action"], "dance")
        unneeded = self.adapter(ElementWeb)
        begun = time.monotonic()
        answers = together(green.poll, unneeded.poll)
        self.assertEqual([answer["action"] for answer in answers], ["idle", "idle"])
        self.assertLess(time.monotonic() - begun, 28)
        self.assertGreater(time.monotonic() - begun, 5)


if __name__ == "__main__":
    unittest.main()
