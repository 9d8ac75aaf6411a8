# SPDX-License-Identifier: Apache-2.0
"""Tests that are written as steps: every kind of step against the real daemon."""
import http.server
import json
import re
import shutil
import threading
import time
import unittest

from harness import OWN_ACTIONS, PATIENCE, ServerTest, junit_outcome, wait_until
from matrix_standin import Matrix

DANCED = {"dance": "danced", "sing": "sung", "show": "shown"}
ONE_SERVER = {"type": "synapse", "names": ["server"]}
TWO_SERVERS = {"type": "synapse", "names": ["alice_server", "bob_server"]}
# As in OWN_ACTIONS, with a template to fill and to leave out.
GREET = {"greet": {"description": "Says hello.", "responses": ["greeted"],
                   "data": {"text": {"type": "string", "required": True},
                            "tone": {"type": "string"}, "to": {"type": "object"}},
                   "template": {"text": "hello, I am ${me.name}", "tone": "kind"},
                   "types": ["element-web", "element-android"]}}


def story(name, *steps, clients="red", **more):
    """A test of steps; clients: "red green", each an element-web, or {role: type}."""
    if isinstance(clients, str):
        clients = {role: "element-web" for role in clients.split()}
    return {"name": name, "clients": {role: [type] for role, type in clients.items()},
            "actions": {**OWN_ACTIONS, **GREET}, "steps": list(steps), **more}


def show(text, role="red", **more):
    """A step that shows a value to the client."""
    return {role: "show", "data": {"thing" if isinstance(text, dict) else "text": text},
            **more}


class StepsTest(ServerTest):
    def begin(self, *steps, clients="red", config=None, **more):
        """Start a test of these steps, and end one that was started before; gives the
        clients, in the order of the roles."""
        if self.daemon is not None:
            self.daemon.stop()
            shutil.rmtree(self.suites)
        made = story("Steps", *steps, clients=clients, **more)
        self.start(made, config=config)
        return [self.client(types[0]) for types in made["clients"].values()]

    def begin_one(self, *steps, **more):
        red, = self.begin(*steps, **more)
        return red

    def matrix(self, *arguments, **more):
        made = Matrix(*arguments, **more)
        self.addCleanup(made.close)
        return made


class RoleStepTest(StepsTest):
    def test_in_order_to_complete(self):
        red, green = self.begin({"red": "dance"}, {"green": "sing"}, {"red": "sing"},
                                clients="red green")
        red.act("dance", "danced")
        self.assertIdle(red.poll(wait=0), 5000)
        green.act("sing", "sung")
        red.act("sing")
        self.assertOutcome("success")
        self.assertExit(green.poll())

    def test_data_comes_from_the_template(self):
        red = self.begin_one({"red": "register"}, servers=ONE_SERVER)
        data = red.expect("register")["data"]
        self.assertEqual(set(data), {"username", "password", "homeserver_url"})
        self.assertRegex(data["username"], r"^user_red_[0-9a-f]{8}$")
        self.assertTrue(data["password"])
        self.assertEqual(data["homeserver_url"], {"local": "http://localhost:8008",
                                                  "local_docker": "http://10.0.2.2:8008"})

    def test_no_template_and_no_data(self):
        self.assertEqual(self.begin_one({"red": "dance"}).expect("dance")["data"], {})

    def test_a_template_by_client_type(self):
        alice = self.begin_one({"alice": "register"}, {"alice": "set_display_name"},
                               clients={"alice": "element-call"})
        data = alice.act("register", "registered")["data"]
        self.assertEqual(set(data), {"localpart", "password"})
        self.assertRegex(data["localpart"], r"^user_alice_[0-9a-f]{8}$")
        self.assertEqual(alice.expect("set_display_name")["data"],
                         {"display_name": "alice"})

    def test_given_members_replace_the_templates(self):
        red, green = self.begin(
            {"green": "login", "data": {"username": "${red.localpart}",
                                        "password": "${red.password}",
                                        "key_backup_passphrase": "secret"}},
            {"red": "login"}, clients="red green", servers=ONE_SERVER)
        given = green.act("login", "logged_in")["data"]
        own = red.act("login", "loggedin")["data"]
        self.assertEqual(given, {**own, "key_backup_passphrase": "secret"})

    def test_null_leaves_a_member_out(self):
        red = self.begin_one({"red": "greet"}, {"red": "greet", "data": {"tone": None}},
                             {"red": "greet", "data": {"text": "x", "to": {"a": None}}})
        self.assertEqual(red.act("greet")["data"],
                         {"text": "hello, I am red", "tone": "kind"})
        self.assertEqual(red.act("greet")["data"], {"text": "hello, I am red"})
        self.assertEqual(red.act("greet")["data"],
                         {"text": "x", "tone": "kind", "to": {"a": None}})

    def test_on_the_second_server(self):
        config = {"server-type synapse": {
            "servers": "hs1=http://localhost:8008 hs2=http://localhost:8009"}}
        red, green = self.begin(
            {"parallel": [{"red": "register", "on": "alice_server"},
                          {"green": "register", "on": "bob_server"}]},
            {"red": "invite_user",
             "data": {"userId": "${green.localpart}:${bob_server.server_name}"}},
            {"red": "login"}, clients="red green", servers=TWO_SERVERS, config=config)
        urls = [client.act("register", "registered")["data"]["homeserver_url"]
                for client in (red, green)]
        self.assertEqual([url["local"] for url in urls],
                         ["http://localhost:8008", "http://localhost:8009"])
        self.assertEqual([url["local_docker"] for url in urls],
                         ["http://10.0.2.2:8008", "http://10.0.2.2:8009"])
        self.assertRegex(red.act("invite_user")["data"]["userId"],
                         r"^user_green_[0-9a-f]{8}:hs2$")
        self.assertEqual(red.act("login")["data"]["homeserver_url"], urls[0])
        servers = self.daemon.case()["servers"]
        self.assertEqual([(one["name"], one["server_name"], one["cs_api"])
                          for one in servers],
                         [("alice_server", "hs1", "http://localhost:8008"),
                          ("bob_server", "hs2", "http://localhost:8009")])

    def test_two_servers_and_only_one_is_there(self):
        self.start(story("Few", {"red": "register"}, servers=TWO_SERVERS))
        self.daemon.wait_for_log(r"00_few_test\.json.*servers")
        self.assertEqual(self.daemon.status()["totals"]["cases"], 0)

    def test_on_a_network_proxy(self):
        made = story("Steps", {"proxy": "proxyTo", "data": {"url": "${server.cs_api}"}},
                     {"red": "register", "on": "proxy"}, {"red": "login"},
                     clients={"red": "element-web", "proxy": "network-proxy"},
                     servers=ONE_SERVER)
        self.start(made)
        red = self.client()
        proxy = self.client("network-proxy", endpoint="http://localhost:9009/")
        self.assertEqual(proxy.act("proxyTo", "proxyToSet")["data"],
                         {"url": "http://localhost:8008"})
        self.assertEqual(red.act("register")["data"]["homeserver_url"],
                         {"local": "http://localhost:9009/",
                          "local_docker": "http://10.0.2.2:9009/"})
        self.assertEqual(red.act("login")["data"]["homeserver_url"]["local"],
                         "http://localhost:8008")

    def test_save_holds_the_whole_report(self):
        red = self.begin_one({"red": "dance", "save": "seen"}, show({"all": "${seen}"}),
                             show("${seen.response} ${seen.steps.1.foot}"))
        red.act("dance", "waltzed", steps=[{"foot": "left"}, {"foot": "right"}])
        self.assertEqual(red.act("show")["data"]["thing"]["all"],
                         {"response": "waltzed",
                          "steps": [{"foot": "left"}, {"foot": "right"}]})
        self.assertEqual(red.act("show")["data"]["text"], "waltzed right")

    def test_a_value_keeps_its_type(self):
        red = self.begin_one({"red": "dance", "save": "seen"},
                             show({"n": "${seen.n}", "yes": "${seen.yes}",
                                   "none": "${seen.none}", "text": "<${seen.n}>",
                                   "literal": "$${seen.n}"}))
        red.act("dance", n=2.5, yes=True, none=None)
        self.assertEqual(red.expect("show")["data"]["thing"],
                         {"n": 2.5, "yes": True, "none": None, "text": "<2.5>",
                          "literal": "${seen.n}"})

    def test_every_name_is_as_good(self):
        self.begin_one({"red": "dance"}).act("dance", "stumbled")
        self.assertOutcome("success")

    def test_expect_narrows(self):
        for expected in ("danced", ["waltzed", "danced"]):
            with self.subTest(expected):
                red = self.begin_one({"red": "dance", "expect": expected})
                self.assertIn("danced", red.expect("dance")["responses"])
                red.act("dance", "stumbled")
                self.assertOutcome("error", "red", "dance", "stumbled", "danced")

    def test_what_is_expected_may_be_reported_without_a_name(self):
        self.begin_one({"red": "dance", "expect": "danced"}).act("dance")
        self.assertOutcome("success")

    def test_a_timeout_of_its_own(self):
        red = self.begin_one({"red": "dance", "timeout": "500ms"})
        red.expect("dance")
        self.assertOutcome("error", "red", "dance")

    def test_a_timeout_says_who_was_asked_what_and_when(self):
        red, _ = self.begin({"green": "dance"}, {"red": "sing", "timeout": 0.6},
                            clients="red green")
        self.again(_).act("dance")
        red.expect("sing")
        message = self.assertOutcome("error", "red", "sing")["message"]
        self.assertIn("element-web", message)
        self.assertRegex(message, r"\d\d:\d\d:\d\d")
        self.assertRegex(message, r"600 ?ms|0\.6 ?s")
        self.assertIn("its latest poll", message)

    def test_a_timeout_of_a_client_that_does_not_poll(self):
        self.begin({"red": "sing", "timeout": 0.4})
        self.assertRegex(self.assertOutcome("error", "red", "sing")["message"],
                         "never polled|not polled")

    def test_steps_have_numbers_and_names(self):
        red = self.begin_one({"red": "dance"}, {"red": "sing", "name": "the finale"})
        red.expect("dance")
        self.assertEqual(self.daemon.case()["machine"], "1 red dance")
        red.act("dance")
        self.assertEqual(self.daemon.case()["machine"], "2 the finale")

    def test_a_failure_names_the_step(self):
        red = self.begin_one({"red": "dance", "name": "red opens the ball"})
        red.act("dance", "failed")
        self.assertOutcome("failure", "red opens the ball")

    def test_a_registration_has_members(self):
        self.start(story("Steps", show("${red.type} ${red.registration.version}")))
        red = self.client(version="1.11.5")
        self.assertEqual(red.expect("show")["data"]["text"], "element-web 1.11.5")


class ParallelTest(StepsTest):
    def test_goes_on_when_all_have_reported(self):
        red, green = self.begin({"parallel": [{"red": "dance"}, {"green": "sing"}]},
                                {"red": "sing"}, clients="red green")
        red.expect("dance")
        green.act("sing", "sung")
        self.assertIdle(green.poll(wait=0), 5000)
        red.act("dance", "danced")
        red.act("sing", "sung")
        self.assertOutcome("success")

    def test_each_saves_its_own(self):
        red, green = self.begin(
            {"parallel": [{"red": "dance", "save": "a"},
                          {"green": "dance", "save": "b"}]},
            show("${a.partner} and ${b.partner}"), clients="red green")
        green.act("dance", partner="red")
        red.act("dance", partner="green")
        self.assertEqual(red.expect("show")["data"]["text"], "green and red")

    def test_one_that_fails_ends_it_for_all(self):
        red, green = self.begin({"parallel": [{"red": "dance"}, {"green": "sing"}]},
                                clients="red green")
        green.expect("sing")
        red.act("dance", "failed")
        self.assertExit(green.poll())
        self.assertOutcome("failure", "red", "dance")


class OwnStateTest(StepsTest):
    """What the server does by itself between actions."""

    def test_wait(self):
        for wait in ("400ms", 0.4):
            with self.subTest(wait):
                red = self.begin_one({"red": "dance"}, {"wait": wait}, {"red": "sing"})
                red.act("dance")
                begun = time.monotonic()
                red.expect("sing")
                self.assertGreaterEqual(time.monotonic() - begun, 0.35)

    def test_waits_are_scaled(self):
        red = self.begin_one({"wait": "1h"}, {"red": "sing"},
                             config={"tests": {"wait-scale": "0.00001"}})
        red.expect("sing")

    def test_set(self):
        red = self.begin_one(
            {"set": {"tune": "waltz", "many": {"n": [1, 2]}}},
            show("${tune} ${many.n.1}"),
            {"set": {"tune": "${tune} again"}}, show("${tune}"))
        self.assertEqual(red.act("show")["data"]["text"], "waltz 2")
        self.assertEqual(red.act("show")["data"]["text"], "waltz again")

    def test_variables(self):
        red = self.begin_one(show("${room}"), show("${room}"),
                             variables={"room": "tl_${case.nonce}"})
        first = red.act("show")["data"]["text"]
        self.assertRegex(first, "^tl_[0-9a-f]{8}$")
        self.assertEqual(red.act("show")["data"]["text"], first)

    def test_a_value_to_nowhere(self):
        red = self.begin_one({"red": "dance", "save": "seen"}, show("${seen.nothing}"))
        red.act("dance")
        self.assertOutcome("error", "seen.nothing")


# What red reports, and conditions on it: those that hold, and those that do not with what
# their message has to show.
SEEN = {"call_name": "tl_chat_2", "number": 2, "half": 0.5, "yes": True, "none": None,
        "list": [1, "two", {"a": {"b": 1, "c": 2}, "d": 3}],
        "object": {"a": {"b": 1, "c": 2}}}
HOLDS = [
    {"equals": ["${seen.call_name}", "tl_chat_2"]},
    {"equals": ["${seen.number}", 2.0]},
    {"equals": ["${seen.object}", {"a": {"c": 2, "b": 1}}]},
    {"equals": ["${seen.none}", None]},
    {"not_equals": ["${seen.call_name}", "tl_chat_1"]},
    {"not_equals": ["${seen.number}", "2"]},
    {"contains": ["${seen.call_name}", "chat"]},
    {"contains": ["${seen.list}", "two"]},
    {"contains": ["${seen.list}", {"a": {"b": 1}}]},
    {"contains": ["${seen.object}", {"a": {"c": 2}}]},
    {"matches": ["${seen.call_name}", "^tl_[a-z]+_[0-9]$"]},
    {"length": ["${seen.list}", 3]},
    {"length": ["${seen.call_name}", 9]},
    {"less": ["${seen.half}", "${seen.number}"]},
    {"greater": ["${seen.number}", 0.5]},
    {"exists": "seen.list.2.a"},
    {"exists": "${seen.none}"},
    {"all": [{"equals": ["${seen.yes}", True]}, {"length": ["${seen.object}", 1]}]},
    {"any": [{"equals": ["${seen.yes}", False]}, {"less": ["${seen.half}", 1]}]},
    {"not": {"equals": ["${seen.number}", 3]}},
    {"not": {"exists": "seen.nothing"}},
]
FAILS = [
    ({"equals": ["${seen.call_name}", "tl_chat_1"]},
     'expected call_name to be "tl_chat_1", red reported "tl_chat_2"'),
    ({"equals": ["${seen.number}", "2"]}, 'expected number to be "2", red reported 2'),
    ({"equals": ["${seen.list.0}", 2]}, "red reported 1"),
    ({"equals": ["${seen.nothing}", 1]}, "seen.nothing"),
    ({"not_equals": ["${seen.number}", 2]}, "2"),
    ({"contains": ["${seen.call_name}", "dog"]}, '"dog"', '"tl_chat_2"'),
    ({"contains": ["${seen.list}", {"a": {"b": 2}}]}, '"b":2', '"two"'),
    ({"matches": ["${seen.call_name}", "^chat"]}, "^chat", "tl_chat_2"),
    ({"matches": ["${seen.number}", "2"]}, "number"),
    ({"length": ["${seen.list}", 4]}, "4", "two"),
    ({"less": ["${seen.number}", 2]}, "number", "less", "2"),
    ({"greater": ["${seen.half}", 1]}, "half", "greater", "0.5", "1"),
    ({"exists": "seen.nothing"}, "seen.nothing"),
    ({"all": [{"equals": ["${seen.number}", 3]}, {"equals": ["${seen.yes}", True]},
              {"less": ["${seen.half}", 0]}]},
     "expected number to be 3, red reported 2", "expected half to be less than 0"),
    ({"any": [{"equals": ["${seen.number}", 3]}, {"equals": ["${seen.number}", 4]}]},
     "number to be 3", "number to be 4"),
    ({"not": {"equals": ["${seen.number}", 2]}}, "number"),
    ({"colour": ["red_nothing.png", "red"]}, "red_nothing.png", "red"),
]


class ConditionTest(StepsTest):
    def run_conditions(self, conditions):
        """One test for each condition; gives the cases when all have ended."""
        self.start(*[story(f"Condition{number:02d}", {"red": "dance", "save": "seen"},
                           {"assert": condition})
                     for number, condition in enumerate(conditions)])
        for _ in conditions:
            self.client().act("dance", **SEEN)
        wait_until(lambda: self.daemon.status()["server"]["done"])
        return self.daemon.cases()

    def test_those_that_hold(self):
        for condition, case in zip(HOLDS, self.run_conditions(HOLDS), strict=True):
            with self.subTest(condition):
                self.assertEqual((case["state"], case["message"]), ("success", ""))

    def test_those_that_do_not_hold_show_both_sides(self):
        cases = self.run_conditions([condition for condition, *_ in FAILS])
        junit = self.daemon.junit()
        for number, ((condition, *words), case) in enumerate(zip(FAILS, cases,
                                                                 strict=True)):
            with self.subTest(condition):
                self.assertEqual(case["state"], "failed", case["message"])
                outcome = junit_outcome(junit, number)
                self.assertEqual(outcome.kind, "failure")
                for word in words:
                    self.assertIn(word, case["message"])
                    self.assertIn(word, outcome.words)

    def test_the_sentence(self):
        alice = self.begin_one(
            {"alice": "dance", "save": "lobby"},
            {"assert": {"equals": ["${lobby.data.call_name}", "${room}"]}},
            clients="alice", variables={"room": "tl_chat_1"})
        alice.act("dance", data={"call_name": "tl_chat_2"})
        message = self.assertOutcome("failure")["message"]
        self.assertIn('expected call_name to be "tl_chat_1", alice reported "tl_chat_2"',
                      message)

    def test_long_values_are_shortened(self):
        red = self.begin_one({"red": "dance", "save": "seen"},
                             {"assert": {"equals": ["${seen.text}", "b" * 5000]}})
        red.act("dance", text="a\U0001f600" * 50000)
        message = self.assertOutcome("failure")["message"]
        self.assertLess(len(message), 2000)
        self.assertIn("aaa" if "aaa" in message else "a\U0001f600a", message)
        self.assertIn("bbb", message)

    def test_nobody_is_asked_after_an_assert_that_fails(self):
        red = self.begin_one({"red": "dance"},
                             {"assert": {"equals": ["${red.name}", "x"]}},
                             {"red": "sing"})
        red.act("dance")
        self.assertExit(red.poll())
        self.assertOutcome("failure", "red.name")

    def test_checks_are_told_at_the_end(self):
        red = self.begin_one(
            {"check": {"equals": ["${red.name}", "alice"]}}, {"red": "dance"},
            {"check": {"equals": ["${red.name}", "red"]}}, {"red": "sing"},
            {"check": {"equals": ["${red.type}", "a phone"]}, "name": "the last one"})
        red.act("dance")
        red.act("sing")
        self.assertExit(red.poll())
        self.assertOutcome("failure", "alice")
        words = junit_outcome(self.daemon.junit()).words
        for word in ('"alice"', '"a phone"', "the last one"):
            self.assertIn(word, words)

    def test_a_check_that_did_not_hold_is_told_with_what_ends_the_case(self):
        red = self.begin_one({"check": {"equals": ["${red.name}", "alice"]}},
                             {"red": "dance"})
        red.act("dance", "failed")
        self.assertOutcome("failure", "red", "dance")
        outcome = junit_outcome(self.daemon.junit())
        self.assertIn('"alice"', outcome.words + outcome.transcript)


TILES = [{"caption": "alice", "muted": False, "at": {"x": 1, "y": 2}},
         {"caption": "bob", "muted": False, "at": {"x": 3, "y": 2}}]
BY_NAME = {"!a:hs1": {"name": "a", "size": 1}, "!b:hs1": {"name": "b", "size": 1}}


class FindTest(StepsTest):
    def find(self, where, *after, find="${seen.tiles}"):
        step = {"find": find, "save": "tile"}
        if where is not None:
            step["where"] = where
        red = self.begin_one({"red": "dance", "save": "seen"}, step,
                             *(after or [show({"found": "${tile}"})]))
        red.act("dance", tiles=TILES, rooms=BY_NAME, single=[7])
        return red

    def test_exactly_one(self):
        for where, find, found in (
                ({"caption": "bob"}, "${seen.tiles}", TILES[1]),
                ({"at": {"x": 1}}, "${seen.tiles}", TILES[0]),
                ({"name": "b"}, "${seen.rooms}", BY_NAME["!b:hs1"]),
                (None, "${seen.single}", 7)):
            with self.subTest(where):
                red = self.find(where, find=find)
                self.assertEqual(red.expect("show")["data"]["thing"]["found"], found)

    def test_a_value_in_where(self):
        red, _ = self.begin(
            {"alice": "dance", "save": "seen"},
            {"find": "${seen.tiles}", "where": {"caption": "${alice.name}"},
             "save": "tile"},
            {"assert": {"equals": ["${tile.at.x}", 1]}}, {"bob": "dance"},
            clients="alice bob")
        red.act("dance", tiles=TILES)
        _.act("dance")
        self.assertOutcome("success")

    def test_none_and_two_have_no_value_for_an_assert(self):
        for where, count in (({"caption": "carol"}, "0"), ({"muted": False}, "2")):
            with self.subTest(where):
                self.find(where, {"assert": {"equals": ["${tile.caption}", "bob"]}})
                case = self.assertOutcome("failure", "tile.caption", "seen.tiles")
                self.assertRegex(case["message"], rf"\b{count}\b|none|no ")

    def test_nor_for_a_check(self):
        self.find({"caption": "carol"}, {"check": {"equals": ["${tile.caption}", "bob"]}},
                  {"red": "sing"}).act("sing")
        self.assertOutcome("failure", "tile.caption")

    def test_anywhere_else_it_is_an_error(self):
        self.find({"caption": "carol"})
        self.assertOutcome("error", "tile")

    def test_what_was_found_before_is_forgotten(self):
        self.find({"caption": "bob"},
                  {"find": "${seen.tiles}", "where": {"caption": "carol"},
                   "save": "tile"},
                  {"assert": {"exists": "tile"}})
        self.assertOutcome("failure", "tile")


# --- http


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_any(self):
        web = self.server
        target = self.requestline.split(" ")[1]  # self.path has lost a doubled slash
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        web.requests.append((self.command, target, dict(self.headers), body))
        status, headers, answer = web.routes.get(target, (404, {}, b"no such thing"))
        if status is None:  # says nothing, until everything ends
            web.over.wait(30)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


class Web(http.server.ThreadingHTTPServer):
    """A server with fixed answers: {target: (status, headers, body)}."""
    daemon_threads = True

    def __init__(self, routes):
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes = routes
        self.requests = []
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def close(self):
        self.over.set()
        self.shutdown()
        self.server_close()


JSON = {"Content-Type": "application/json"}
ROUTES = {
    "/json": (200, {**JSON, "X-Token": "t0k3n"}, b'{"access_token": "abc", "n": [1, 2]}'),
    "/text": (200, {"Content-Type": "text/plain"}, "caf\u00e9".encode()),
    "/binary": (200, {"Content-Type": "image/png"}, b"\x89PNG\0\xff"),
    "/created": (201, JSON, b"{}"),
    "/empty": (204, {}, b""),
    "/redirect": (302, {"Location": "/json"}, b""),
    "/teapot": (418, JSON, b'{"error": "short and stout"}'),
    "/broken": (500, JSON, b'{"error": "out to lunch"}'),
    "/large": (200, {}, b"x" * (2 << 20)),
    "/slow": (None, {}, b""),
}


class HttpTest(StepsTest):
    def setUp(self):
        super().setUp()
        self.web = Web(ROUTES)
        self.addCleanup(self.web.close)

    def ask(self, *after, save="reply", **http):
        """An http step, then these; gives the client."""
        if "://" not in http["url"]:
            http["url"] = "${server.cs_api}" + http["url"]
        return self.begin_one(
            {"http": http, "save": save}, *(after or [{"red": "dance"}]),
            servers=ONE_SERVER,
            config={"server-type synapse": {"servers": f"hs1={self.web.url}"}})

    def test_what_it_sends(self):
        red = self.ask({"http": {"method": "PUT", "url": "${server.cs_api}/created",
                                 "text": "plain ${red.name}"}},
                       {"red": "dance"}, method="POST", url="/json",
                       headers={"Authorization": "Bearer ${case.nonce}", "X-Kind": "7"},
                       json={"user": "${red.localpart}", "n": 1, "none": None})
        red.expect("dance")
        first, second = self.web.requests
        self.assertEqual(first[:2], ("POST", "/json"))
        self.assertRegex(first[2]["Authorization"], "^Bearer [0-9a-f]{8}$")
        self.assertEqual(first[2]["X-Kind"], "7")
        self.assertEqual(first[2]["Content-Type"], "application/json")
        nonce = first[2]["Authorization"].split(" ")[1]
        self.assertEqual(json.loads(first[3]),
                         {"user": f"user_red_{nonce}", "n": 1, "none": None})
        self.assertEqual((second[0], second[1], second[3]),
                         ("PUT", "/created", b"plain red"))
        self.assertRegex(second[2]["Content-Type"], "^text/plain")

    def test_the_method_is_get_where_nothing_is_said(self):
        self.ask(url="/json").expect("dance")
        method, _, headers, body = self.web.requests[0]
        self.assertEqual((method, body), ("GET", b""))
        self.assertNotIn("Content-Type", headers)

    def test_what_is_saved(self):
        red = self.ask(show({"status": "${reply.status}", "json": "${reply.json}",
                             "token": "${reply.headers.x-token}",
                             "text": "${reply.text}"}),
                       {"http": {"url": "${server.cs_api}/text",
                                 "headers": {"X-Again": "${reply.json.access_token}"}},
                        "save": "plain"},
                       show("${plain.text}"),
                       {"assert": {"not": {"exists": "plain.json"}}},
                       url="/json")
        self.assertEqual(red.act("show")["data"]["thing"], {
            "status": 200, "json": {"access_token": "abc", "n": [1, 2]}, "token": "t0k3n",
            "text": '{"access_token": "abc", "n": [1, 2]}'})
        self.assertEqual(red.act("show")["data"]["text"], "caf\u00e9")
        self.assertEqual(self.web.requests[1][2]["X-Again"], "abc")
        self.assertOutcome("success")

    def test_every_2xx_is_good(self):
        red = self.ask({"http": {"url": "${server.cs_api}/empty"}, "save": "empty"},
                       {"http": {"url": "${server.cs_api}/binary"}},
                       show({"status": "${empty.status}"}), url="/created")
        self.assertEqual(red.expect("show")["data"]["thing"], {"status": 204})

    def test_another_status_fails_the_case(self):
        for path, status, why in (("/teapot", "418", "short and stout"),
                                  ("/broken", "500", "out to lunch"),
                                  ("/nowhere", "404", "no such thing")):
            with self.subTest(path):
                red = self.ask(url=path)
                self.assertOutcome("failure", status)
                self.assertIn(why, junit_outcome(self.daemon.junit()).words)
                self.assertExit(red.poll())

    def test_statuses_that_are_accepted(self):
        self.ask(url="/teapot", status=[200, 418]).act("dance")
        self.assertOutcome("success")
        self.ask(url="/created", status=[200])
        self.assertOutcome("failure", "201")

    def test_redirects_are_not_followed(self):
        self.ask(url="/redirect")
        self.assertOutcome("failure", "302")
        red = self.ask(show("${reply.headers.location}"), url="/redirect", status=[302])
        self.assertEqual(red.expect("show")["data"]["text"], "/json")
        self.assertEqual([request[1] for request in self.web.requests], ["/redirect"] * 2)

    def test_nobody_answers(self):
        self.web.close()
        self.ask(url="/json")
        case = self.assertOutcome("error")
        self.assertIn(self.web.url.removeprefix("http://"), case["message"])

    def test_too_large_an_answer(self):
        self.ask(url="/large")
        self.assertRegex(self.assertOutcome("error")["message"], "bytes|large")

    def test_an_answer_that_does_not_come(self):
        begun = time.monotonic()
        red = self.ask(url="/slow", timeout="300ms")
        self.assertIdle(red.poll(wait=0), 5000)
        self.assertRegex(self.assertOutcome("error")["message"], "300 ?ms|0.3 ?s")
        self.assertLess(time.monotonic() - begun, 5 * PATIENCE)

    def test_a_slow_one_holds_up_nobody(self):
        self.start(*[story(f"Slow{i}", {"http": {"url": self.web.url + "/slow",
                                                 "timeout": "2s"}}) for i in range(6)],
                   story("Other", {"red": "dance"}))
        for _ in range(7):
            red = self.client()
        begun = time.monotonic()
        red.act("dance")
        self.assertLess(time.monotonic() - begun, 1 * PATIENCE)
        self.daemon.wait_case("success", index=6)

    def test_doubled_slashes_become_one(self):
        self.start(story("Steps", {"http": {"url": "${proxy.cs_api}/json?a=//b"}},
                         {"http": {"url": "${proxy.cs_api}json//twice"}},
                         {"proxy": "idle2"},
                         clients={"proxy": "network-proxy"},
                         actions={"idle2": {"description": "-", "responses": ["done"],
                                            "types": ["network-proxy"]}}))
        self.web.routes = {"/json?a=//b": (200, {}, b""), "/json//twice": (200, {}, b"")}
        self.client("network-proxy", endpoint=self.web.url + "/").act("idle2")
        self.assertOutcome("success")
        self.assertEqual([request[1] for request in self.web.requests],
                         ["/json?a=//b", "/json//twice"])

    def test_stopping_while_one_is_asked(self):
        self.ask(url="/slow", timeout="60s")
        wait_until(lambda: self.web.requests)
        begun = time.monotonic()
        self.daemon.stop()
        self.assertLess(time.monotonic() - begun, 8 * PATIENCE)

    def test_url_that_is_none(self):
        self.ask(url="${run.id}:///etc/passwd")
        self.assertOutcome("error", "url")


# --- flows and loops


class FlowTest(StepsTest):
    FLOWS = {
        "waltz": [{"${leader}": "dance", "data": {"tune": "${tune}"}},
                  {"${follower}": "greet", "data": {"text": "${leader.name}: ${tune}",
                                                    "tone": "${tone}"}}],
        "ball": [{"flow": "waltz", "with": {"leader": "${first}", "follower": "${second}",
                                            "tune": "tales", "tone": None}},
                 {"${second}": "dance", "save": "seen"}],
    }

    def test_parameters(self):
        red, green = self.begin(
            {"flow": "waltz", "with": {"leader": "red", "follower": "green",
                                       "tune": "danube", "tone": "loud"}},
            {"flow": "waltz", "with": {"leader": "green", "follower": "red",
                                       "tune": "vienna", "tone": None}},
            clients="red green", flows=self.FLOWS)
        self.assertEqual(red.act("dance")["data"], {"tune": "danube"})
        self.assertEqual(green.act("greet")["data"],
                         {"text": "red: danube", "tone": "loud"})
        self.assertEqual(green.act("dance")["data"], {"tune": "vienna"})
        self.assertEqual(red.act("greet")["data"], {"text": "green: vienna"})
        self.assertOutcome("success")

    def test_a_flow_in_a_flow_saves_for_the_case(self):
        red, green = self.begin(
            {"flow": "ball", "with": {"first": "red", "second": "green"}},
            show("${seen.partner}"), clients="red green", flows=self.FLOWS)
        self.assertEqual(red.act("dance")["data"], {"tune": "tales"})
        self.assertEqual(green.act("greet")["data"], {"text": "red: tales"})
        green.act("dance", partner="red")
        self.assertEqual(red.expect("show")["data"]["text"], "red")

    def test_flows_of_another_file(self):
        self.suites.mkdir()
        (self.suites / "e2e").mkdir()
        (self.suites / "e2e" / "dances.flows.json").write_text(json.dumps(self.FLOWS))
        red, _ = self.begin(
            {"flow": "waltz", "with": {"leader": "red", "follower": "green",
                                       "tune": "danube", "tone": "loud"}},
            clients="red green", include=["dances.flows.json"])
        self.assertEqual(red.expect("dance")["data"], {"tune": "danube"})

    def test_for_each(self):
        rounds = [{"who": "red", "tune": "a"}, {"who": "green", "tune": "b"}]
        red, green = self.begin(
            {"for_each": rounds, "as": "round", "steps": [
                {"${round.who}": "dance", "data": {"tune": "${round.tune}"}}]},
            {"for_each": ["x", "y"], "as": "word", "steps": [show("<${word}>")]},
            clients="red green")
        self.assertEqual(red.act("dance")["data"], {"tune": "a"})
        self.assertEqual(green.act("dance")["data"], {"tune": "b"})
        self.assertEqual([red.act("show")["data"]["text"] for _ in range(2)],
                         ["<x>", "<y>"])
        self.assertOutcome("success")

    def test_repeat_counts_from_one(self):
        red = self.begin_one({"repeat": 3, "as": "i", "steps": [
            show({"name": "bob${i}", "number": "${i}"})]})
        self.assertEqual([red.act("show")["data"]["thing"] for _ in range(3)],
                         [{"name": f"bob{i}", "number": i} for i in (1, 2, 3)])
        self.assertOutcome("success")

    def test_loops_in_loops(self):
        red = self.begin_one({"repeat": 2, "as": "i", "steps": [
            {"for_each": ["a", "b"], "as": "letter", "steps": [show("${letter}${i}")]}]})
        self.assertEqual([red.act("show")["data"]["text"] for _ in range(4)],
                         ["a1", "b1", "a2", "b2"])


# --- clients that can't register


class EmulationTest(StepsTest):
    REGISTER, LOGOUT = "/_matrix/client/r0/register", "/_matrix/client/r0/logout"

    def setUp(self):
        super().setUp()
        self.server = self.matrix("hs1")
        self.config = {"server-type synapse": {"servers": f"hs1={self.server.url}"}}

    def begin_mobile(self, *steps, clients=None, **more):
        return self.begin(*(steps or [{"red": "register"}]), servers=ONE_SERVER,
                          clients=clients or {"red": "element-android"},
                          config=self.config, **more)

    def test_the_user_is_made_and_the_client_logs_in(self):
        for type in ("element-android", "element-ios", "hydrogen-web"):
            with self.subTest(type):
                self.server.requests.clear()
                red, = self.begin_mobile(clients={"red": type})
                data = red.expect("login")["data"]
                self.assertEqual(self.server.asked, [("POST", self.REGISTER, 200),
                                                     ("POST", self.LOGOUT, 200)])
                self.assertEqual(self.server.users[data["username"]], data["password"])
                self.assertRegex(data["username"], "^user_red_[0-9a-f]{8}$")
                self.assertEqual(data["homeserver_url"]["local"], self.server.url)
                self.assertEqual(self.server.tokens, {})
                self.assertTaken(red.call("POST", "respond", b""))
                self.assertOutcome("success")
                self.assertEqual(self.server.violations, [])

    def test_names_of_either_action_are_good(self):
        for name in ("registered", "logged_in", "loggedin"):
            with self.subTest(name):
                red, = self.begin_mobile({"red": "register", "expect": "registered"})
                red.act("login", name)
                self.assertOutcome("success")

    def test_its_report_is_saved(self):
        red, = self.begin_mobile({"red": "register", "save": "done"},
                                 {"assert": {"equals": ["${done.device}", "phone"]}})
        red.act("login", device="phone")
        self.assertOutcome("success")

    def test_in_a_parallel(self):
        red, green = self.begin_mobile(
            {"parallel": [{"green": "register"}, {"red": "register"}]},
            {"green": "logout"},
            clients={"red": "element-android", "green": "element-web"})
        green.expect("register")
        red.expect("login")
        self.assertEqual([path for _, path, _ in self.server.asked],
                         [self.REGISTER, self.LOGOUT])
        green.act("register", "registered")
        self.assertIdle(green.poll(wait=0), 5000)
        self.assertTaken(red.call("POST", "respond", b""))
        green.act("logout")
        self.assertOutcome("success")

    def test_two_in_a_parallel(self):
        red, green = self.begin_mobile(
            {"parallel": [{"red": "register"}, {"green": "register"}]},
            clients={"red": "element-android", "green": "element-ios"})
        names = {client.act("login")["data"]["username"] for client in (red, green)}
        self.assertEqual(set(self.server.users), names)
        self.assertEqual(len(names), 2)
        self.assertOutcome("success")

    def test_on_the_second_server(self):
        second = self.matrix("hs2")
        self.config["server-type synapse"]["servers"] += f" hs2={second.url}"
        red, = self.begin({"red": "register", "on": "bob_server"}, servers=TWO_SERVERS,
                          clients={"red": "element-ios"}, config=self.config)
        self.assertEqual(red.expect("login")["data"]["homeserver_url"]["local"],
                         second.url)
        self.assertEqual((len(self.server.asked), len(second.asked)), (0, 2))

    def test_on_a_network_proxy(self):
        made = story("Steps", {"red": "register", "on": "proxy"}, servers=ONE_SERVER,
                     clients={"red": "element-android", "proxy": "network-proxy"})
        self.start(made, config=self.config)
        red = self.client("element-android")
        self.client("network-proxy", endpoint=self.server.url + "/")
        self.assertEqual(red.expect("login")["data"]["homeserver_url"]["local"],
                         self.server.url + "/")
        self.assertEqual(self.server.asked, [("POST", self.REGISTER, 200),
                                             ("POST", self.LOGOUT, 200)])

    def test_a_server_that_refuses(self):
        red, = self.begin_mobile({"red": "register"}, {"red": "register"})
        red.act("login")
        case = self.assertOutcome("failure", "400")
        self.assertIn("M_USER_IN_USE", junit_outcome(self.daemon.junit()).words)
        self.assertTrue(re.search("register|red", case["message"]), case["message"])

    def test_a_server_that_is_not_there(self):
        self.server.close()
        self.begin_mobile()
        self.assertOutcome("error")


if __name__ == "__main__":
    unittest.main()
