# SPDX-License-Identifier: Apache-2.0
"""A server that is killed, or leaves, and is started again on the same state folder."""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import unittest

from adapters import multipart
from harness import (COMMAND, DAEMON, PATIENCE, ServerTest, check_junit, definition, does,
                     duet, later, request, run, solo, state, wait_until)


def without_times(status):
    """The document without what the time changes."""
    copy = json.loads(json.dumps(status))
    copy["server"] = {"done": copy["server"]["done"]}
    for client in copy["clients"]:
        del client["last_polled"]
    for suite in copy["suites"]:
        for case in suite["cases"]:
            for turn in [case, *case.get("attempts", [])]:
                del turn["duration"]
    return copy


class RestartTest(ServerTest):
    """The server is on one port, where its clients find it again."""

    def setUp(self):
        super().setUp()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]

    def settings(self, changes=None):
        changes = dict(changes or {})
        changes["server"] = {"listen": f"127.0.0.1:{self.port}", **changes.get("server", {})}
        return super().settings(changes)

    def begin(self, *definitions, config=None, **more):
        """The first start; those that follow are the same."""
        self.more = {"config": config, **more}
        return self.start(*definitions, **self.more)

    def start_again(self):
        return self.start(**self.more)

    def restart(self):
        """kill -9, and start again."""
        self.daemon.kill()
        self.daemon.check_log()
        return self.start_again()

    def start(self, *definitions, **more):
        # Those that were killed did not end well, and need not.
        return super().start(*definitions, **{"expect": None, **more})

    def back(self, client):
        """The client with a connection to the server of now."""
        return self.again(client)


class KilledTest(RestartTest):
    def test_all_stands_as_it_stood(self):
        failing = solo("Failing", "element-android")
        self.begin(duet(), failing, solo("Later", "element-ios"),
                   config={"tests": {"retries": 1}})
        red, green = self.pair()
        droid = self.client("element-android", version="7", tags=["a", {"b": None}])
        phone = self.client("element-phone")
        red.act("dance", "danced", text="é \x1b[31m \u0000", number=1.5)
        droid.act("dance", "failed")
        green.expect("sing")
        phone.poll(wait=0)
        before = self.daemon.status()
        cases = [self.daemon.get(f"/status/{case['id']}/status.json").json
                 for case in self.daemon.cases()]
        self.restart()
        after = self.daemon.status()
        self.assertEqual(without_times(after), without_times(before))
        self.assertEqual(after["server"]["done"], False)
        for case in cases:
            again = self.daemon.get(f"/status/{case['id']}/status.json").json
            self.assertEqual(again["transcript"], case["transcript"])
        self.back(green).act("sing", "sung")
        self.assertOutcome("success")
        self.daemon.junit()

    def test_a_held_poll_comes_back_as_a_new_one(self):
        self.begin(duet())
        red, green = self.pair()
        given = red.expect("dance")
        held = later(green.poll_answer, 50)
        self.daemon.wait_parked(green)
        self.restart()
        self.assertIsNotNone(held.exception(10))
        green = self.back(green)
        held = later(green.poll, 20)
        red = self.back(red)
        again = red.expect("dance")
        self.assertEqual(again["id"], given["id"])
        self.daemon.wait_parked(green)
        self.assertTaken(red.report("danced", id=again["id"]))
        self.assertEqual(held.result(10)["action"], "sing")

    def test_a_report_without_a_poll_after_the_restart(self):
        """Adapters of today do not name the delivery, and do not poll while they work."""
        self.begin(duet())
        red, green = self.pair()
        red.expect("dance")
        self.restart()
        self.assertTaken(self.back(red).report("danced"))
        self.back(green).act("sing", "sung")
        self.assertOutcome("success")

    def test_a_report_is_repeated(self):
        self.begin(duet())
        red, green = self.pair()
        given = red.expect("dance")
        self.assertTaken(red.report("danced", id=given["id"], token="first"))
        self.restart()
        red = self.back(red)
        self.assertTaken(red.report("danced", id=given["id"], token="first"))
        self.assertTaken(red.report("failed", id=given["id"], token="second"))
        self.assertEqual(self.daemon.wait_case("running")["machine"], "stage")
        self.back(green).act("sing", "sung")
        self.assertOutcome("success")
        self.assertTaken(red.report("failed", id=given["id"]))
        self.assertOutcome("success")
        lines = self.daemon.get(f"/status/{self.daemon.case()['id']}/status.json").json
        self.assertEqual(len([line for line in lines["transcript"]
                              if line["kind"] == "response" and line["role"] == "red"]), 1)

    def test_a_registration_that_was_answered_counts(self):
        self.begin(duet())
        red = self.client()
        self.restart()
        self.assertIdle(self.back(red).poll(wait=0), 5000)
        green = self.client()
        self.back(red).act("dance", "danced")
        green.act("sing", "sung")
        self.assertOutcome("success")
        self.restart()
        self.assertExit(self.back(red).poll())
        self.assertEqual(self.back(red).call("POST", "register",
                                             {"type": "element-web"}).status, 409)

    def test_killed_often(self):
        self.begin(duet(), config={"tests": {"repeat": 2}})
        for _ in range(2):
            red, green = self.pair()
            for client, action, response in ((red, "dance", "danced"),
                                             (green, "sing", "sung")):
                self.restart()
                given = self.back(client).expect(action)
                self.restart()
                self.assertTaken(self.back(client).report(response, id=given["id"]))
            self.restart()
            self.assertExit(self.back(red).poll())
        totals = self.daemon.status()["totals"]
        self.assertEqual((totals["success"], totals["cases"]), (2, 2))

    def test_files_are_still_given_out(self):
        self.begin(solo())
        red = self.client()
        red.expect("dance")
        kind, body = multipart({"out.txt": b"what was uploaded"})
        self.assertTaken(red.call("POST", "upload", body, {"Content-Type": kind}))
        case = self.daemon.case()
        self.restart()
        self.assertEqual(self.daemon.case()["files"], ["red_out.txt"])
        path = f"/status/{case['id']}/files/red_out.txt"
        self.assertEqual(self.daemon.get(path).body, b"what was uploaded")
        self.back(red).act("dance", "danced")
        kind, body = multipart({"late.txt": b"after the end"})
        self.assertTaken(self.back(red).call("POST", "upload", body, {"Content-Type": kind}))
        self.restart()
        self.assertEqual(self.daemon.case()["files"], ["red_out.txt", "red_late.txt"])
        self.assertEqual(self.daemon.get(path).body, b"what was uploaded")

    def test_nothing_is_known_without_durability(self):
        self.begin(duet(), config={"server": {"durability": "none"}})
        red, _ = self.pair()
        red.expect("dance")
        before = self.daemon.status()["suites"][0]["cases"][0]["id"]
        self.restart()
        case = self.daemon.case()
        self.assertEqual(case["state"], "waiting")
        self.assertNotEqual(case["id"], before)
        self.assertExit(self.back(red).poll())
        self.assertFalse((self.folder / "state" / "journal.sqlite").exists())

    def test_the_power_may_fail(self):
        self.begin(duet(), config={"server": {"durability": "power"}})
        red, green = self.pair()
        red.act("dance", "danced")
        self.restart()
        self.back(green).act("sing", "sung")
        self.assertOutcome("success")


class TimeTest(RestartTest):
    def begin_timed(self, timeout):
        self.begin(definition("Timed", {"floor": state(red=does(
            "dance", {"danced": "complete"}, timeout=timeout))}))
        red = self.client()
        red.expect("dance")
        return red

    def test_a_time_out_goes_on_where_it_was(self):
        """Half of it before the kill; the time without a server is not counted."""
        whole, first, without = 4 * PATIENCE, 2 * PATIENCE, 3 * PATIENCE
        self.begin_timed(f"{whole:g}s")
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() - begun >= first, 2 * first)
        self.daemon.kill()
        killed = time.monotonic()
        wait_until(lambda: time.monotonic() - killed >= without, 2 * without)
        self.start_again()
        again = time.monotonic()
        self.assertEqual(self.daemon.case()["state"], "running")
        self.daemon.wait_case("error", timeout=2 * whole)
        took = time.monotonic() - again
        # once a second it is written down that time has passed
        self.assertGreater(took, whole - first - 1)
        self.assertLess(took, whole - first + 1.2 + PATIENCE)

    def check_clock(self, first):
        """The clock that counts from the start of the machine stood elsewhere when the
        server was killed: the journal's first input came at `first`, in milliseconds."""
        self.begin_timed("2s")
        self.daemon.kill()
        link = sqlite3.connect(self.folder / "state" / "journal.sqlite")
        by = first - link.execute("SELECT min(mono) FROM inputs").fetchone()[0]
        link.execute("UPDATE inputs SET mono = mono + ?", (by,))
        link.execute("UPDATE state SET mono = mono + ? WHERE mono > 0", (by,))
        link.commit()
        link.close()
        self.start_again()
        begun = time.monotonic()
        self.assertEqual(self.daemon.case()["state"], "running")
        self.daemon.wait_case("error")
        self.assertGreater(time.monotonic() - begun, 0.5)
        # one that begins then has all of its time
        self.assertEqual(request(self.daemon.url, "POST", "/runs", {}).status, 201)
        self.client().act("dance", "danced")
        self.daemon.wait_case("success")

    def test_the_machine_had_run_for_long(self):
        self.check_clock(4 * 365 * 24 * 3600 * 1000)

    def test_the_machine_had_just_been_started(self):
        self.check_clock(1000)

    def test_a_time_out_that_is_over_stays_over(self):
        red = self.begin_timed("300ms")
        case = self.daemon.wait_case("error")
        self.restart()
        self.assertEqual(self.daemon.case()["message"], case["message"])
        self.assertExit(self.back(red).poll())

    def test_waiting_clients_have_their_patience_anew(self):
        self.begin(duet(), config={"timeouts": {"idle-client": "2s"}})
        red = self.client()
        self.restart()
        self.assertIdle(self.back(red).poll(wait=0), 5000)
        wait_until(lambda: self.daemon.client(red.id) is None, 10, "the end of patience")


class ServersTest(RestartTest):
    SERVERS = {"type": "synapse", "names": ["server"]}

    def begin_served(self, *arguments, limit=8, timeout="10s", **more):
        self.homeservers = self.homerunner(*arguments, killed=True)
        test = definition("Served", {"in": state(red=does(
            "register", {"registered": "complete"}))}, servers=self.SERVERS)
        self.begin(test, config={
            "homerunner": {"url": self.homeservers.url, "limit": limit, "timeout": timeout},
            "server-type synapse": {"servers": None, "images": "complement-synapse"},
            **more})

    def wait_for_deployments(self, count):
        wait_until(lambda: len(self.homeservers.deployments) == count
                   and not self.homeservers.creating, 15, f"{count} deployments")

    def test_servers_of_a_running_case_are_kept(self):
        self.begin_served()
        red = self.client()
        given = red.expect("register")
        self.restart()
        self.assertEqual(self.back(red).expect("register"), given)
        self.assertEqual(len(self.homeservers.deployments), 1)
        self.assertEqual(self.homeservers.destroyed, [])
        self.assertTaken(self.back(red).report("registered", id=given["id"]))
        self.wait_for_deployments(0)
        self.assertEqual(len(self.homeservers.created), 1)
        self.assertEqual(self.homeservers.violations, [])

    def test_servers_that_were_being_made_are_made_anew(self):
        self.begin_served("slow", 1.5)
        red = self.client()
        wait_until(lambda: self.homeservers.creating, 10, "a create")
        self.restart()
        given = self.back(red).expect("register", timeout=20)
        first, second = self.homeservers.created
        self.assertNotEqual(first, second)
        wait_until(lambda: list(self.homeservers.deployments) == [second], 15,
                   "the end of the first deployment")
        self.assertEqual(given["data"]["homeserver_url"]["local"],
                         self.homeservers.deployments[second]["hs1"]["BaseURL"])
        self.assertTaken(self.back(red).report("registered"))
        self.wait_for_deployments(0)
        self.assertEqual(self.homeservers.violations, [])

    def test_servers_that_nobody_wants_are_destroyed(self):
        """The case ended while homerunner did not answer; then the server was killed."""
        self.begin_served("slow", 1.5)
        red = self.client()
        wait_until(lambda: self.homeservers.creating, 10, "a create")
        self.assertTaken(red.error("other", "the phone fell into the sea"))
        self.daemon.wait_case("error")
        self.restart()
        wait_until(lambda: self.homeservers.created == self.homeservers.destroyed[-1:]
                   and not self.homeservers.deployments and not self.homeservers.creating,
                   20, "the destroy")
        self.assertEqual(self.homeservers.violations, [])

    def test_a_destroy_that_was_cut_off_is_asked_for_again(self):
        self.begin_served()
        self.homeservers.destroy_fails = True
        red = self.client()
        red.act("register", "registered")
        wait_until(lambda: self.homeservers.destroyed, 10, "a destroy")
        self.daemon.kill()
        self.homeservers.destroy_fails = False
        self.start_again()
        self.wait_for_deployments(0)


    def test_killed_in_the_middle_of_a_stop(self):
        self.begin_served()
        self.homeservers.destroy_fails = True
        self.client().expect("register")
        old, = self.daemon.get("/runs").json["runs"]
        self.daemon.signal()
        wait_until(lambda: self.homeservers.destroyed, 10, "a destroy")
        self.daemon.kill()
        self.homeservers.destroy_fails = False
        self.start_again()
        new, kept = self.daemon.get("/runs").json["runs"]
        self.assertEqual((new["state"], kept["id"], kept["state"]),
                         ("running", old["id"], "ended"))
        self.wait_for_deployments(0)
        self.client().act("register", "registered")
        self.assertOutcome("success")
        self.wait_for_deployments(0)


class RunsTest(RestartTest):
    def runs(self):
        return self.daemon.get("/runs").json["runs"]

    def test_a_definition_that_changed_meanwhile(self):
        path = self.write_definition(duet())
        self.begin()
        red, green = self.pair()
        red.act("dance", "danced")
        path.write_text(json.dumps(solo("Duet", "element-ios")))
        self.restart()
        self.assertEqual(self.daemon.case()["name"], "red=element-web green=element-web")
        self.back(green).act("sing", "sung")
        self.assertOutcome("success")
        asked = request(self.daemon.url, "POST", "/runs", {})
        self.assertEqual((asked.status, asked.json["state"]), (201, "running"))
        self.assertEqual(self.daemon.case()["name"], "red=element-ios")
        self.restart()
        self.assertEqual(self.daemon.case()["name"], "red=element-ios")
        self.client("element-ios").act("dance", "danced")
        self.assertOutcome("success")
        self.assertEqual([run["state"] for run in self.runs()], ["ended", "ended"])

    def test_a_definition_that_is_gone_or_broken(self):
        path = self.write_definition(solo())
        self.begin()
        red = self.client()
        red.expect("dance")
        path.write_text("{ this is no JSON")
        self.restart()
        path.unlink()
        self.restart()
        self.back(red).act("dance", "danced")
        self.assertOutcome("success")

    def test_runs_that_wait(self):
        self.begin(solo())
        red = self.client()
        red.expect("dance")
        asked = request(self.daemon.url, "POST", "/runs", {"label": "the second"})
        self.assertEqual((asked.status, asked.json["state"]), (201, "queued"))
        self.restart()
        self.assertEqual([(run["label"], run["state"]) for run in self.runs()],
                         [("the second", "queued"), ("", "running")])
        self.back(red).act("dance", "danced")
        wait_until(lambda: self.runs()[0]["state"] == "running", 10, "the second run")
        self.restart()
        self.client().act("dance", "danced")
        wait_until(lambda: self.runs()[0]["state"] == "ended", 10, "its end")

    def test_a_cancelled_run_stays_cancelled(self):
        self.begin(duet())
        red, _ = self.pair()
        red.expect("dance")
        run_id = self.runs()[0]["id"]
        self.assertEqual(
            request(self.daemon.url, "POST", f"/runs/{run_id}/cancel", {}).status, 200)
        case = self.daemon.case()
        self.restart()
        self.assertEqual(self.daemon.case()["message"], case["message"])
        self.assertExit(self.back(red).poll())
        self.assertEqual(
            request(self.daemon.url, "POST", f"/runs/{run_id}/cancel", {}).status, 409)

    def test_half_a_suite_with_many_clients(self):
        """What `trafficlight simulate` plays goes on after a kill."""
        self.begin(duet("Played"), config={"tests": {"repeat": 60}})
        clients = subprocess.Popen(
            [str(COMMAND), "simulate", "--url", f"http://127.0.0.1:{self.port}",
             "--client", "element-web=20", "--think", "20ms..200ms", "--forever",
             "--duration", "60", "--quiet", "--wait", "2"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(clients.wait)
        self.addCleanup(clients.kill)

        def ended():
            totals = self.daemon.status()["totals"]
            return totals["success"] + totals["failed"] + totals["error"]

        wait_until(lambda: ended() >= 30, 30, "the half")
        before = {case["id"]: (case["state"], case["message"], case["ended"])
                  for case in self.daemon.cases()
                  if case["state"] in ("success", "failed", "error")}
        self.restart()
        wait_until(lambda: ended() == 60, 45, "the end of all cases")
        after = {case["id"]: (case["state"], case["message"], case["ended"])
                 for case in self.daemon.cases()}
        self.assertEqual({key: after[key] for key in before}, before)
        self.assertEqual({state for state, _, _ in after.values()}, {"success"})
        names = [case.get("name") for case in self.daemon.junit().iter("testcase")]
        self.assertEqual((len(names), len(set(names))), (60, 60))
        self.assertIsNone(clients.poll())


class EndedTest(RestartTest):
    def test_a_stop_is_an_end(self):
        self.begin(duet())
        red, green = self.pair()
        red.act("dance", "danced")
        old, = self.daemon.get("/runs").json["runs"]
        held = later(green.poll, 20)
        self.daemon.stop()
        held.result(5)
        self.start_again()
        new, kept = self.daemon.get("/runs").json["runs"]
        self.assertEqual((new["state"], kept["id"], kept["state"]),
                         ("running", old["id"], "ended"))
        self.assertEqual(self.daemon.case()["state"], "waiting")
        status = self.daemon.get(f"/runs/{old['id']}/status.json").json
        case, = status["suites"][0]["cases"]
        self.assertEqual(case["state"], "error")
        self.assertIn("shutting down", case["message"])
        root = check_junit(self.daemon.get(f"/runs/{old['id']}/junit.xml").body)
        self.assertEqual(root.get("errors"), "1")
        self.assertExit(self.back(green).poll())

    def test_it_leaves_and_goes_on(self):
        self.begin(duet())
        red, green = self.pair()
        given = red.expect("dance")
        held = later(green.poll, 50)
        self.daemon.wait_parked(green)
        before = self.daemon.status()
        self.daemon.signal(signal.SIGUSR1)
        self.assertIdle(held.result(5), 0)
        self.assertEqual(self.daemon.wait(10), 0)
        self.start_again()
        self.assertEqual(without_times(self.daemon.status()), without_times(before))
        self.assertEqual(self.back(red).expect("dance")["id"], given["id"])
        self.back(red).act("dance", "danced")
        self.back(green).act("sing", "sung")
        self.assertOutcome("success")

    def play_once(self, response, status):
        self.begin(solo(), options=("--once",))
        red = self.client()
        red.expect("dance")
        self.restart()
        self.back(red).act("dance", response)
        self.back(red).expect_exit()
        self.assertEqual(self.daemon.wait(10), status)

    def test_once_is_killed_and_succeeds(self):
        self.play_once("danced", 0)

    def test_once_is_killed_and_fails(self):
        self.play_once("failed", 1)

    def test_once_is_killed_after_the_end(self):
        """All had been told to exit: that run is over, and the next start has its own."""
        self.begin(solo(), options=("--once",))
        red = self.client()
        red.act("dance", "failed")
        self.daemon.wait_case("failed")
        old, = self.daemon.get("/runs").json["runs"]
        self.restart()
        self.assertEqual([(run["id"] == old["id"], run["state"]) for run
                          in self.daemon.get("/runs").json["runs"]],
                         [(False, "running"), (True, "ended")])
        self.client().act("dance", "danced")
        self.assertEqual(self.daemon.wait(15), 0)


class RefusedTest(RestartTest):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.journal = self.state / "journal.sqlite"

    def refuse(self, *words):
        """It says these words, ends with 1, and leaves the file as it was."""
        before = self.journal.read_bytes() if self.journal.is_file() else None
        self.suites.mkdir(exist_ok=True)
        done = run(DAEMON, "--config", self.write_settings())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"(^|\n)(<3>)?error: ")
        for word in words:
            self.assertIn(word, done.stderr)
        after = self.journal.read_bytes() if self.journal.is_file() else None
        self.assertEqual(after, before)

    def make_journal(self):
        """One with inputs, of a server that was killed; all in the file itself."""
        self.begin(duet())
        red, _ = self.pair()
        red.act("dance", "danced")
        self.daemon.kill()
        link = sqlite3.connect(self.journal)
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        link.close()

    def test_another_one_has_the_folder(self):
        self.begin(solo(), config={"server": {"listen": "127.0.0.1:0"}})
        done = run(DAEMON, "--config", self.write_settings(
            {"server": {"listen": "127.0.0.1:0"}}, name="second.ini"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.daemon.pid), done.stderr)
        self.assertIn(str(self.state), done.stderr)
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        self.client().act("dance", "danced")
        self.assertOutcome("success")

    def test_a_folder(self):
        self.journal.mkdir(parents=True)
        self.refuse("journal.sqlite", "is a folder", "move it away")
        self.assertTrue(self.journal.is_dir())

    def test_garbage(self):
        self.state.mkdir()
        self.journal.write_bytes(os.urandom(10000))
        self.refuse("journal.sqlite", "mv ")

    def test_text(self):
        self.state.mkdir()
        self.journal.write_text("what was I going to write down?\n" * 100)
        self.refuse("journal.sqlite", "mv ")

    def test_another_database(self):
        self.state.mkdir()
        link = sqlite3.connect(self.journal)
        link.execute("CREATE TABLE shopping(what TEXT)")
        link.commit()
        link.close()
        self.refuse("journal.sqlite", "mv ")

    def test_half_a_journal(self):
        self.make_journal()
        self.journal.write_bytes(self.journal.read_bytes()[:9000])
        self.refuse("journal.sqlite", "damaged", "mv ")

    def test_a_journal_with_holes(self):
        self.make_journal()
        text = bytearray(self.journal.read_bytes())
        for start in range(4096, len(text), 4096):
            text[start:start + 200] = os.urandom(200)
        self.journal.write_bytes(text)
        self.refuse("journal.sqlite", "damaged", "mv ")

    def test_it_is_moved_away_as_was_said(self):
        self.make_journal()
        self.journal.write_bytes(self.journal.read_bytes()[:9000])
        done = run(DAEMON, "--config", self.write_settings())
        told = done.stderr[done.stderr.index("mv "):].strip()
        subprocess.run(told, shell=True, check=True)
        self.start_again()
        self.assertEqual(self.daemon.case()["state"], "waiting")
        self.pair()[0].act("dance", "danced")
        self.restart()
        self.assertEqual(self.daemon.case()["machine"], "stage")

    def test_a_newer_one(self):
        self.make_journal()
        link = sqlite3.connect(self.journal)
        version, = link.execute("PRAGMA user_version").fetchone()
        link.execute(f"PRAGMA user_version = {version + 1}")
        link.commit()
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        link.close()
        self.refuse("journal.sqlite", "newer", "mv ")

    def test_an_input_that_nobody_knows(self):
        self.make_journal()
        link = sqlite3.connect(self.journal)
        link.execute("UPDATE inputs SET text = '{\"input\": \"sing\"}' WHERE number = "
                     "(SELECT max(number) FROM inputs)")
        link.commit()
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        link.close()
        self.refuse(str(self.state), "can't be read back", "start the version that wrote it")

    def test_a_folder_that_can_not_be_made(self):
        self.state.write_text("in the way")
        done = run(DAEMON, "--config", self.write_settings())
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.state), done.stderr)


if __name__ == "__main__":
    unittest.main()
