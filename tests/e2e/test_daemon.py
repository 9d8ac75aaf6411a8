# SPDX-License-Identifier: Apache-2.0
"""trafficlightd as a program: options, settings, definitions, listening, ending."""
import json
import os
import re
import signal
import socket
import time
import unittest

from harness import (DAEMON, ServerTest, connection, definition, does, duet, exchange, later,
                     request, run, settings_text, solo, state, verify_client, wait_until)

BAD_SETTINGS = {
    # what is wrong: (the lines, the number of the wrong line, words that must be said)
    "an unknown key": ("[server]\nlisten = 127.0.0.1:0\nlisen = x\n", 3, ["lisen"]),
    "an unknown section": ("\n[sever]\nlisten = 127.0.0.1:0\n", None, ["sever"]),
    "a key before any section": ("listen = 127.0.0.1:0\n", 1, ["listen"]),
    "no line of INI": ("[server]\nwhat is this\n", 2, []),
    "a bad duration": ("[timeouts]\nstep = soon\n", 2, ["step", "soon"]),
    "a negative duration": ("[timeouts]\nstep = -5s\n", 2, ["step", "-5s"]),
    "a bad number": ("[workers]\nthreads = many\n", 2, ["threads", "many"]),
    "a number out of range": ("[workers]\nthreads = 0\n", 2, ["threads"]),
    "a number followed by more": ("[tests]\nrepeat = 3x\n", 2, ["repeat", "3x"]),
    "a huge number": ("[tests]\nrepeat = 99999999999999999999\n", 2, ["repeat"]),
    "a bad level": ("[log]\nlevel = loud\n", 2, ["level", "loud", "warning"]),
    "a bad address": ("[server]\nlisten = 127.0.0.1:70000\n", 2, ["listen", "70000"]),
    "an address without port": ("[server]\nlisten = localhost\n", 2, ["listen"]),
    "a bad url": ("[homerunner]\nurl = over there\n", 2, ["url"]),
    "a bad server": ("[server-type s]\nservers = http://localhost\n", 2, ["servers"]),
}


class OptionTest(ServerTest):
    def test_version(self):
        done = run(DAEMON, "--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^trafficlightd .*\d+\.\d+")

    def test_help(self):
        done = run(DAEMON, "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("--config", "--check-config", "--listen", "--once", "--version"):
            self.assertIn(option, done.stdout)

    def test_unknown_option(self):
        done = run(DAEMON, "--dance")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("dance", done.stderr)

    def test_listen_option(self):
        self.start(solo(), options=("--listen", "127.0.0.1:0"),
                   config={"server": {"listen": f"unix:{self.folder}/unused"}})
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        self.assertFalse((self.folder / "unused").exists())


class SettingsTest(ServerTest):
    def check(self, text):
        path = self.write_settings(text=text)
        done = run(DAEMON, "--check-config", "--config", path)
        return done.returncode, done.stdout + done.stderr

    def test_good(self):
        self.write_definition(verify_client())
        code, said = self.check(settings_text(self.settings({
            "timeouts": {"step": "3m", "case": "1h", "idle-client": "60s", "long-poll": "250ms",
                         "active-client": 180, "long-poll-max": "50s"},
            "homerunner": {"url": "http://localhost:54321", "limit": 8, "timeout": "5m"},
            "workers": {"threads": 4, "queue": 1000}, "log": {"level": "debug"},
            "client-type web": {"type": "element-web", "version": "*-develop*"}})))
        self.assertEqual(code, 0, said)

    def test_it_does_only_that(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            code, said = self.check(f"[server]\nlisten = 127.0.0.1:{port}\n"
                                    f"[tests]\npath = {self.folder}\n")
        self.assertEqual(code, 0, said)
        self.assertNotIn("listening on", said)

    def test_bad(self):
        for name, (text, line, words) in BAD_SETTINGS.items():
            with self.subTest(name):
                code, said = self.check(text)
                self.assertNotEqual(code, 0)
                self.assertIn("trafficlight.ini", said)
                if line:
                    self.assertRegex(said, rf"trafficlight\.ini:{line}\b|line {line}\b")
                for word in words:
                    self.assertIn(word, said)

    def test_every_mistake_is_told(self):
        _, said = self.check("[server]\nlisen = x\n[timeouts]\nstep = soon\nsteps = 1\n")
        for word in ("lisen", "soon", "steps"):
            self.assertIn(word, said)

    def test_the_server_does_not_start_with_a_mistake(self):
        done = run(DAEMON, "--config", self.write_settings(text="[server]\nlisen = x\n"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("lisen", done.stderr)

    def test_a_file_that_is_not_there(self):
        done = run(DAEMON, "--config", self.folder / "missing.ini")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("missing.ini", done.stderr)

    def test_comments_and_spaces(self):
        code, said = self.check("; hello\n# hello\n\n[timeouts]   \n  step=5s   ; five\n")
        self.assertEqual(code, 0, said)

    def test_long_lines_are_not_cut(self):
        """Refused or read whole."""
        deep = self.folder / ("x" * 120) / ("y" * 120)
        deep.mkdir(parents=True)
        (deep / "solo_test.json").write_text(json.dumps(solo("Deep")))
        text = settings_text(self.settings({"tests": {"path": deep}}))
        code, said = self.check(text)
        if code:
            self.assertRegex(said, r"trafficlight\.ini:\d+")
            return
        self.start(config={"tests": {"path": deep}})
        self.assertEqual([s["name"] for s in self.daemon.status()["suites"]], ["Deep"])

    def test_long_section_names_are_not_cut(self):
        name = "t" * 60
        text = settings_text(self.settings({f"client-type {name}": {"type": "element-web"}}))
        code, said = self.check(text)
        if code:
            self.assertRegex(said, r"trafficlight\.ini:\d+")
            return
        self.start(solo(type=name), config={f"client-type {name}": {"type": "element-web"}})
        self.client().expect("dance")


def broken(change, **more):
    """A small test, spoiled."""
    test = json.loads(json.dumps(solo("Broken", **more)))
    change(test)
    return test


def spoil_floor(**members):
    return broken(lambda test: test["states"]["floor"]["actions"]["red"].update(members))


BROKEN = {
    # file: (content, words that a line about that file must have)
    "no_json": ("this is no JSON", []),
    "truncated": ('{"name": "Broken", ', []),
    "empty": ("", []),
    "array": ("[]", []),
    "noise": ("\x00\x01\ufffd{", []),
    "too_deep": ('{"name": ' + "[" * 5000 + "]" * 5000 + "}", []),
    "unknown_member": (broken(lambda t: t.update(stats={})), ["stats"]),
    "no_name": (broken(lambda t: t.pop("name")), ["name"]),
    "bad_name": (broken(lambda t: t.update(name="a b")), ["a b"]),
    "no_clients": (broken(lambda t: t.update(clients={})), ["clients"]),
    "clients_is_a_list": (broken(lambda t: t.update(clients=["red"])), ["clients"]),
    "no_body": (broken(lambda t: t.pop("states")), ["states"]),
    "states_and_steps": (broken(lambda t: t.update(steps=[])), ["steps"]),
    "no_initial": (broken(lambda t: t.pop("initial")), ["initial"]),
    "initial_is_nowhere": (broken(lambda t: t.update(initial="nowhere")), ["nowhere"]),
    "target_is_nowhere": (spoil_floor(responses={"danced": "nowhere"}), ["nowhere"]),
    "unreachable": (broken(lambda t: t["states"].update(
        island=state(red=does("dance", {"danced": "complete"})))), ["island"]),
    "no_way_out": (spoil_floor(responses=["danced"]), ["floor", "next"]),
    "cycle": (definition("Broken", {
        "floor": state(red=does("dance", {"danced": "one", "fell": "complete"})),
        "one": {"set": {"x": "1"}, "next": "two"},
        "two": {"set": {"x": "2"}, "next": "one"}}), ["one"]),
    "unknown_action": (spoil_floor(action="danse"), ["danse", "dance"]),
    "unknown_role": (broken(lambda t: t["states"]["floor"]["actions"].update(
        blue=does("dance"))), ["blue"]),
    "missing_data": (definition("Broken", {"floor": state(
        red=does("create_room", {"room_created": "complete"}))}), ["create_room", "name"]),
    "unknown_value": (spoil_floor(data={"tune": "${nobody.knows}"}), ["nobody"]),
    "bad_timeout": (spoil_floor(timeout="soon"), ["timeout", "soon"]),
    "bad_server_type": (broken(lambda t: t.update(
        servers={"type": "dendrite", "names": ["server"]})), ["dendrite"]),
    "too_few_servers": (broken(lambda t: t.update(
        servers={"type": "synapse", "names": ["one", "two"]})), ["synapse"]),
    "two_bodies_of_a_state": (broken(lambda t: t["states"]["floor"].update(
        wait="1s", next="complete")), ["floor"]),
    "too_many_cases": (broken(lambda t: t.update(clients={
        f"r{n}": [f"type-{m}" for m in range(10)] for n in range(5)})), []),
    "a_reserved_role": (broken(lambda t: t.update(clients={"me": ["element-web"]})), ["me"]),
}


class DefinitionTest(ServerTest):
    def names(self):
        return [suite["name"] for suite in self.daemon.status()["suites"]]

    def lines_about(self, name):
        return [line for line in self.daemon.log if name in line]

    def test_broken_files_do_not_keep_good_ones(self):
        for name, (content, _) in BROKEN.items():
            self.write_definition(content, name=f"{name}_test.json")
        self.write_definition(solo("Good"), name="zz_good_test.json")
        self.start()
        self.assertEqual(self.names(), ["Good"])
        for name, (_, words) in BROKEN.items():
            with self.subTest(name):
                lines = self.lines_about(f"/{name}_test.json")
                self.assertTrue(lines, "no line of the log is about it")
                for word in words:
                    self.assertTrue([line for line in lines if word in line], lines)
        self.client().act("dance", "danced")
        self.assertOutcome("success")

    def test_every_mistake_of_a_file_is_told(self):
        self.write_definition(broken(lambda t: (
            t.update(stats={}), t["states"]["floor"]["actions"]["red"].update(timeout="soon"))),
            name="two_test.json")
        self.start()
        said = "\n".join(self.lines_about("two_test.json"))
        self.assertIn("stats", said)
        self.assertIn("soon", said)

    def test_mistakes_name_the_line_and_the_path(self):
        path = self.write_definition(spoil_floor(timeout="soon"), name="line_test.json")
        number = 1 + [n for n, line in enumerate(path.read_text().splitlines())
                      if '"soon"' in line][0]
        self.start()
        line = self.daemon.wait_for_log(r"line_test\.json")
        self.assertRegex(line, rf"line_test\.json:{number}\b")
        self.assertRegex(line, r"states.*floor.*actions.*red.*timeout")

    def test_a_name_used_twice(self):
        self.write_definition(solo("Twin"), name="a_test.json")
        self.write_definition(solo("Twin"), name="b_test.json")
        self.start()
        self.assertLessEqual(len(self.names()), 1)
        self.assertRegex(self.daemon.wait_for_log("Twin"), r"[ab]_test\.json")

    def test_the_same_name_in_another_folder(self):
        self.write_definition(solo("Twin"), folder="one")
        self.write_definition(solo("Twin"), folder="two")
        self.start()
        suites = self.daemon.status()["suites"]
        self.assertEqual([s["name"] for s in suites], ["Twin", "Twin"])
        self.assertEqual([suite.get("name") for suite in self.daemon.junit()],
                         ["one.Twin", "two.Twin"])

    def test_only_the_cases_that_are_wanted(self):
        wanted = duet("Pair")
        wanted["clients"]["red"] = ["element-web", "element-android"]
        self.write_definition(solo("Solo"))
        self.write_definition(wanted)
        self.start(config={"tests": {"only": ["*.Pair/red=element-android*"]}})
        self.assertEqual(self.cases(), ["red=element-android green=element-web"])

    def test_only_on_the_command_line(self):
        self.write_definition(solo("One"))
        self.write_definition(solo("Two"))
        self.start(config={"tests": {"only": ["*.Two"]}}, options=("--only", "e2e.One"))
        self.assertEqual(self.names(), ["One"])

    def test_strict(self):
        self.write_definition(solo("Good"))
        self.write_definition(spoil_floor(timeout="soon"), name="bad_test.json")
        done = run(DAEMON, "--config", self.write_settings({"tests": {"strict": "yes"}}))
        self.assertEqual(done.returncode, 1)
        self.assertIn("soon", done.stderr)
        self.assertIn("strict", done.stderr)

    def test_a_dictionary_of_ones_own(self):
        path = self.suites.parent / "mine.actions.json"
        path.write_text(json.dumps({"actions": {"whistle": {"responses": ["whistled"]}}}))
        test = definition("Mine", {"floor": state(
            red=does("whistle", {"whistled": "complete"}))})
        test.pop("actions")
        self.write_definition(test)
        self.start(config={"tests": {"actions": [path]}})
        self.client().act("whistle", "whistled")
        self.assertOutcome("success")
        self.assertIn("whistle", self.daemon.get("/actions.json").json["actions"])

    def test_a_case_that_nobody_fills(self):
        self.start(duet(), config={"timeouts": {"unfilled": "1s"}})
        self.client()
        self.assertOutcome("error", "waited for its clients for 1s", "green", "0 free")

    def cases(self):
        return [case["name"] for suite in self.daemon.status()["suites"]
                for case in suite["cases"]]

    def test_an_empty_folder(self):
        self.start()
        line = self.daemon.wait_for_log(re.escape(str(self.suites)))
        self.assertIn("_test.json", line)
        self.assertEqual(self.names(), [])
        self.assertEqual(self.daemon.get("/status").status, 200)
        self.assertEqual(self.client().poll(wait=0)["action"], "idle")

    def test_a_path_that_is_not_there(self):
        self.write_definition(solo("Good"))
        self.start(config={"tests": {"path": ["/nowhere/at/all", self.suites]}})
        self.daemon.wait_for_log("/nowhere/at/all")
        self.assertEqual(self.names(), ["Good"])

    def test_unreadable_files(self):
        self.write_definition(solo("Good"))
        (self.suites / "e2e" / "dangling_test.json").symlink_to("/nowhere/at/all")
        (self.suites / "e2e" / "folder_test.json").mkdir()
        os.mkfifo(self.suites / "e2e" / "pipe_test.json")
        closed = self.write_definition(solo("Closed"), name="closed_test.json")
        closed.chmod(0)
        self.start()
        self.daemon.wait_for_log(r"dangling_test\.json")
        if os.geteuid() != 0:
            self.daemon.wait_for_log(r"closed_test\.json")
        self.assertIn("Good", self.names())

    def test_an_unreadable_folder(self):
        if os.geteuid() == 0:
            self.skipTest("root reads everything")
        self.write_definition(solo("Closed"), folder="closed")
        self.write_definition(solo("Good"))
        (self.suites / "closed").chmod(0)
        self.addCleanup((self.suites / "closed").chmod, 0o700)
        self.start()
        self.daemon.wait_for_log("closed")
        self.assertEqual(self.names(), ["Good"])

    def test_a_file_and_a_glob(self):
        one = self.write_definition(solo("One"), name="one_test.json")
        self.write_definition(solo("Two"), folder="far", name="two_test.json")
        self.write_definition(solo("Three"), folder="far", name="three_test.json")
        self.start(config={"tests": {"path": [one, self.suites / "far" / "tw*_test.json"]}})
        self.assertEqual(self.names(), ["One", "Two"])

    def test_other_files_are_left_alone(self):
        self.write_definition(solo("Good"))
        self.write_definition("nonsense", name="README")
        self.write_definition("nonsense", name="notes.json")
        self.start()
        self.assertEqual(self.names(), ["Good"])
        self.assertEqual(self.lines_about("README") + self.lines_about("notes.json"), [])

    def test_comments_in_definitions(self):
        self.write_definition("// one\n/* two */" + json.dumps(solo("Good")),
                              name="comments_test.json")
        self.start()
        self.assertEqual(self.names(), ["Good"])


class ListenTest(ServerTest):
    def test_several(self):
        self.start(solo(), listeners=3, config={"server": {
            "listen": ["127.0.0.1:0 127.0.0.2:0", f"unix:{self.folder}/s"]}})
        self.assertEqual(len(set(self.daemon.urls)), 3)
        for url in self.daemon.urls:
            self.assertEqual(request(url, "GET", "/healthz").status, 200)

    def test_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as sock:
                sock.bind(("::1", 0))
        except OSError:
            self.skipTest("no IPv6 here")
        self.start(solo(), config={"server": {"listen": "[::1]:0"}})
        self.assertRegex(self.daemon.url, r"^http://\[::1\]:\d+$")
        self.assertEqual(self.daemon.get("/healthz").status, 200)

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = run(DAEMON, "--config", self.write_settings({"server": {"listen": address}}))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(address, done.stderr)
        self.assertRegex(done.stderr, r"(?i)in use")

    def test_a_stale_unix_socket_is_replaced(self):
        path = self.folder / "s"
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(path))
        self.start(solo(), config={"server": {"listen": f"unix:{path}"}})
        self.assertEqual(self.daemon.get("/healthz").status, 200)

    def test_another_file_is_not_replaced(self):
        path = self.folder / "precious"
        path.write_text("do not lose me")
        done = run(DAEMON, "--config", self.write_settings({"server": {
            "listen": f"unix:{path}"}}))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(path), done.stderr)
        self.assertEqual(path.read_text(), "do not lose me")


class OnceTest(ServerTest):
    def once(self, *definitions, expect, **more):
        self.start(*definitions, options=("--once",), expect=expect, **more)

    def test_all_succeeded(self):
        self.once(solo(), expect=0)
        red = self.client()
        red.act("dance", "danced")
        red.expect_exit()
        self.assertEqual(self.daemon.wait(3), 0)

    def test_one_failed(self):
        self.once(solo(), config={"tests": {"repeat": 2}}, expect=1)
        for response in ("danced", "failed"):
            red = self.client()
            red.act("dance", response)
            red.expect_exit()
        self.assertEqual(self.daemon.wait(3), 1)

    def test_one_ended_as_an_error(self):
        self.once(solo(), expect=1)
        red = self.client()
        red.act("dance", "flew_away")
        red.expect_exit()
        self.assertEqual(self.daemon.wait(3), 1)

    def test_it_waits_for_exits_to_be_fetched(self):
        self.once(duet(), expect=0)
        red, green = self.pair()
        red.act("dance", "danced")
        green.act("sing", "sung")
        green.expect_exit()
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        red.expect_exit()
        self.assertEqual(self.daemon.wait(3), 0)

    def test_but_not_for_ever(self):
        self.once(solo(), expect=0)
        begun = time.monotonic()
        self.client().act("dance", "danced")
        self.assertEqual(self.daemon.wait(10), 0)
        self.assertLess(time.monotonic() - begun, 8)


class EndTest(ServerTest):
    def test_held_polls_are_told_to_exit(self):
        self.start(duet(green="element-android"), solo("Solo", "element-ios"))
        waiting, playing = self.client(), self.client("element-ios")
        playing.act("dance", "failed")
        held = later(waiting.poll, 50)
        self.daemon.wait_parked(waiting)
        self.daemon.stop(timeout=10)
        self.assertExit(held.result(1))

    def test_clients_in_a_case_are_told_to_exit(self):
        self.start(duet())
        red, green = self.pair()
        red.expect("dance")
        held = later(green.poll, 50)
        self.daemon.wait_parked(green)
        self.daemon.stop(timeout=10)
        self.assertExit(held.result(1))

    def test_nobody_is_there(self):
        self.start(solo())
        begun = time.monotonic()
        self.daemon.stop()
        self.assertLess(time.monotonic() - begun, 5)

    def test_connections_that_are_only_open(self):
        self.start(solo())
        link = connection(self.daemon.url)
        self.addCleanup(link.close)
        exchange(link, "GET", "/healthz")
        with socket.create_connection(link.sock.getpeername()):
            self.daemon.stop(timeout=10)

    def test_sigint_is_as_good(self):
        self.start(solo())
        self.daemon.signal(signal.SIGINT)
        self.assertEqual(self.daemon.wait(10), 0)

    def test_a_second_sigterm(self):
        self.start(duet(), expect=None)
        red, _ = self.pair()
        red.expect("dance")
        self.daemon.signal()
        self.daemon.signal()
        self.daemon.wait(3)

    def test_sigpipe_does_no_harm(self):
        self.start(solo())
        self.daemon.signal(signal.SIGPIPE)
        self.assertEqual(self.daemon.get("/healthz").status, 200)

    def test_the_unix_socket_is_removed(self):
        path = self.folder / "s"
        self.start(solo(), config={"server": {"listen": f"unix:{path}"}})
        self.daemon.stop()
        self.assertFalse(path.exists())

    def test_log_lines_have_priorities(self):
        self.start(solo())
        self.client().act("dance", "failed")
        self.assertOutcome("failure")
        self.daemon.stop()
        self.assertEqual([line for line in self.daemon.log
                          if not re.match(r"<[0-7]>", line)], [])

    def test_the_level_of_the_log(self):
        self.start(solo(), config={"log": {"level": "debug"}})
        self.client().act("dance", "danced")
        wait_until(lambda: any(line.startswith("<7>") for line in self.daemon.log))


if __name__ == "__main__":
    unittest.main()
