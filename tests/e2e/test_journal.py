# SPDX-License-Identifier: Apache-2.0
"""What the journal has must be read back, whatever it was that came in; what stands between two
inputs when the server is killed, or waits for the disk, is neither lost nor done twice."""
import json
import os
import signal
import sqlite3
import unittest

from harness import (DAEMON, Answer, connection, duet, later, request, run, settings_text, solo,
                     wait_until)
from test_restart import RestartTest, without_times

SOON = {"active-client": "200ms", "idle-client": "1h"}  # ended runs are forgotten soon
LATE = {"active-client": "1h", "idle-client": "1h"}  # not while the test looks on
PATIENT = 30  # seconds, where a disk that was slow is tried again


class JournalTest(RestartTest):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.journal = self.state / "journal.sqlite"

    # --- asking

    def post(self, path, body=None):
        return request(self.daemon.url, "POST", path, {} if body is None else body)

    def send(self, path, body=None):
        """A POST that the server has read, but can't answer before the disk takes something;
        gives the future of its answer."""
        link = connection(self.daemon.url)
        self.addCleanup(link.close)
        link.request("POST", path, json.dumps({} if body is None else body),
                     {"Content-Type": "application/json"})
        # connections are taken in their order: these come after it
        for _ in range(3):
            self.daemon.get("/healthz")

        def answer():
            reply = link.getresponse()
            return Answer(reply.status, reply.headers, reply.read())

        return later(answer)

    def runs(self):
        """What is known of runs, by their labels; the first run has none."""
        answer = self.daemon.get("/runs")
        self.assertEqual(answer.status, 200, answer.body)
        runs = answer.json["runs"]
        self.assertEqual(len({run["id"] for run in runs}), len(runs), runs)
        return {run["label"]: run for run in runs}

    def states(self):
        return {label: run["state"] for label, run in self.runs().items()}

    def first(self):
        """The id of the run that began by itself."""
        return self.runs()[""]["id"]

    def ask(self, label, **wish):
        answer = self.post("/runs", {"label": label, **wish})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json["id"]

    def cancel(self, run_id):
        self.assertTaken(self.post(f"/runs/{run_id}/cancel"))

    def clients(self):
        return {client["id"]: client["state"] for client in self.daemon.status()["clients"]}

    # --- what is written down

    def open(self, name="journal.sqlite"):
        link = sqlite3.connect(self.state / name, isolation_level=None, timeout=30,
                               check_same_thread=False)
        self.addCleanup(link.close)
        return link

    def look(self, question, *values, name="journal.sqlite"):
        link = self.open(name)
        try:
            return link.execute(question, values).fetchone()[0]
        finally:
            link.close()

    def lock(self):
        """From now on the disk takes nothing, until the one that is given is closed."""
        link = self.open()
        link.execute("BEGIN IMMEDIATE")
        return link

    def rows(self):
        return self.look("SELECT count(*) FROM inputs")

    def wait_kept(self, *runs):
        """Wait until the history has these runs."""
        for each in runs:
            wait_until(lambda each=each: self.look("SELECT count(*) FROM runs WHERE id = ?",
                                                   each, name="history.sqlite"), 15,
                       "a run in the history")

    def wait_cut(self, *runs):
        """Wait until these runs are forgotten, and the journal begins after them."""
        for each in runs:
            wait_until(lambda each=each: not self.look(
                "SELECT count(*) FROM inputs WHERE run = ?", each), 20,
                "a run that is forgotten")

    def write_down(self, **members):
        """An input that came last, when nobody could do any more what follows from it."""
        link = self.open()
        number, = link.execute("SELECT max(number) FROM inputs").fetchone()
        mono, wall = link.execute("SELECT mono, wall FROM inputs WHERE number = ?",
                                  (number,)).fetchone()
        link.execute("INSERT INTO inputs VALUES (?, ?, ?, NULL, ?)",
                     (number + 1, mono, wall, json.dumps(members, separators=(",", ":"))))
        link.close()


class ReadBackTest(JournalTest):
    def test_a_report_that_was_refused(self):
        self.begin(duet())
        red, green = self.pair()
        given = red.expect("dance")
        self.assertProblem(red.report("flew_away", id=given["id"]), 422, "flew_away")
        self.restart()
        self.assertEqual(self.back(red).expect("dance")["id"], given["id"])
        self.assertProblem(self.back(red).report("flew_away", id=given["id"]), 422)
        self.restart()
        self.assertTaken(self.back(red).report("danced", id=given["id"]))
        self.back(green).act("sing", "sung")
        self.assertOutcome("success")
        self.restart()
        self.assertOutcome("success")

    def check_odd_id(self, path):
        self.begin(duet())
        disk = self.lock()
        phone = self.send("/client/phone/register", {"type": "element-phone"})
        odd = self.send(path)
        disk.close()
        self.assertTaken(phone.result(20))
        self.assertIn(odd.result(20).status, (400, 404))
        before = self.daemon.case()["id"]
        self.restart()
        self.assertEqual(self.daemon.case()["id"], before)
        self.assertIn("phone", self.clients())

    def test_a_run_whose_id_is_no_text_is_cancelled(self):
        self.check_odd_id("/runs/%ff/cancel")

    def test_a_case_whose_id_is_no_text_is_cancelled(self):
        self.check_odd_id("/status/%ff/cancel")

    def test_a_run_that_nobody_knows_is_cancelled(self):
        self.check_odd_id("/runs/nobody/cancel")


class TextTest(JournalTest):
    """Files and settings that are no UTF-8."""

    def check_file_beside(self, name, content):
        """A file that can't be used is told of; the one beside it runs, also later."""
        self.write_definition(solo("Good"))
        path = os.path.join(os.fsencode(self.suites / "e2e"), name)
        with open(path, "wb") as file:
            file.write(content)
        self.begin()
        self.daemon.wait_for_log(r"error.*bad_")
        self.assertEqual([suite["name"] for suite in self.daemon.status()["suites"]], ["Good"])
        self.restart()
        self.client().act("dance", "danced")
        self.assertOutcome("success")
        self.ask("second")
        self.restart()
        self.client().act("dance", "danced")
        wait_until(lambda: self.states()["second"] == "ended", 10, "the end of the second run")
        self.assertEqual([suite["name"] for suite in self.daemon.status()["suites"]], ["Good"])

    def test_a_definition(self):
        text = json.dumps(solo("Bad", description="E")).encode()
        self.check_file_beside(b"bad_test.json", text.replace(b'"E"', b'"\xe9"'))

    def test_a_dictionary(self):
        self.check_file_beside(b"bad_one.actions.json",
                               b'{"actions": {"f\xe9te": {"description": "x"}}}')

    def test_the_name_of_a_file(self):
        self.check_file_beside(b"bad_\xe9_test.json", json.dumps(solo("Bad")).encode())

    def odd_settings(self):
        text = settings_text(self.settings({"client-type develop": {
            "type": "element-web", "version": "*E*"}}))
        path = self.folder / "trafficlight.ini"
        path.write_bytes(text.encode().replace(b"*E*", b"*\xe9*"))
        return path

    def test_a_setting(self):
        self.write_definition(solo())
        done = run(DAEMON, "--config", self.odd_settings())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"trafficlight\.ini:\d+: .*UTF-8")
        self.assertEqual(run(DAEMON, "--check-config", "--config",
                             self.odd_settings()).returncode, 1)

    def test_a_setting_that_comes_later(self):
        self.begin(solo())
        self.odd_settings()
        self.daemon.signal(signal.SIGHUP)
        self.daemon.wait_for_log("UTF-8")
        self.ask("second")
        self.restart()
        self.assertEqual(self.states(), {"": "running", "second": "queued"})


class ForgettingTest(JournalTest):
    def begin_soon(self, **more):
        self.begin(solo(), config={"timeouts": SOON, **more})

    def forget(self, run_id):
        """It is killed when it has written down that it forgets the run, and has not yet made the
        journal shorter; gives how long that is then."""
        self.wait_kept(run_id)
        self.daemon.kill()
        self.assertEqual(
            self.look("SELECT count(*) FROM inputs WHERE run = ?", run_id), 1)
        self.write_down(input="forget", run=run_id)
        self.more = {"config": {"timeouts": SOON}}
        return self.rows()

    def test_killed_before_the_journal_was_cut(self):
        self.begin(solo(), config={"timeouts": LATE})
        first = self.first()
        self.cancel(first)
        second = self.ask("second")
        before = self.forget(first)
        self.start_again()
        self.assertEqual(self.states(), {"": "ended", "second": "running"})
        self.cancel(second)
        self.ask("third")
        self.wait_cut(first, second)
        self.assertLess(self.rows(), before)
        for number in range(3):  # and so on
            going, = (run["id"] for run in self.runs().values() if run["state"] == "running")
            self.cancel(going)
            self.ask(f"more {number}")
            self.wait_cut(going)
            self.assertLess(self.rows(), before)
        self.restart()
        self.assertEqual(self.states(), {
            "": "ended", "second": "ended", "third": "ended", "more 0": "ended",
            "more 1": "ended", "more 2": "running"})
        self.client().act("dance", "danced")
        self.assertOutcome("success")

    def test_killed_before_a_cancelled_one_was_cut(self):
        """It had never begun, and does not when those before it are forgotten."""
        self.begin(solo(), config={"timeouts": LATE})
        first, second = self.first(), self.ask("second")
        self.cancel(second)
        before = self.forget(second)
        self.start_again()
        self.assertEqual(self.states(), {"": "running", "second": "ended"})
        self.ask("third")
        self.cancel(first)
        self.wait_cut(first, second)
        self.assertLess(self.rows(), before)
        wanted = {"": "ended", "second": "ended", "third": "running"}
        self.assertEqual(self.states(), wanted)
        self.restart()
        self.assertEqual(self.states(), wanted)
        self.client().act("dance", "danced")
        wait_until(lambda: self.states() == {**wanted, "third": "ended"}, 10, "the end of all")

    def cancel_while_it_begins(self):
        """The second run is cancelled when what lets it begin is written, and its beginning is not;
        two clients wait for something else."""
        self.begin(solo(), config={"timeouts": {"active-client": "2s", "idle-client": "1h"}})
        first, second = self.first(), self.ask("second")
        self.client("element-phone", id="before")
        disk = self.lock()
        sent = [self.send("/client/while/register", {"type": "element-phone"}),
                self.send(f"/runs/{first}/cancel"), self.send(f"/runs/{second}/cancel")]
        disk.close()
        for each in sent:
            self.assertTaken(each.result(20))
        return first, second

    def test_a_run_is_cancelled_while_it_begins(self):
        first, second = self.cancel_while_it_begins()
        self.ask("third")
        waiting = {"before": "waiting", "while": "waiting"}
        wanted = {"": "ended", "second": "ended", "third": "running"}
        self.assertEqual(self.clients(), waiting)
        self.assertEqual(self.states(), wanted)
        self.wait_kept(first, second)  # then one is forgotten in each second
        self.wait_cut(first)
        self.restart()
        self.assertEqual(self.states(), wanted)
        self.assertEqual(self.clients(), waiting)
        self.wait_cut(second)
        self.restart()
        self.assertEqual(self.states(), wanted)
        self.assertEqual(self.clients(), waiting)
        self.client().act("dance", "danced")
        wait_until(lambda: self.states()["third"] == "ended", 10, "the end of the third run")

    def test_it_is_killed_at_once_after_that(self):
        first, _ = self.cancel_while_it_begins()
        self.restart()
        waiting = {"before": "waiting", "while": "waiting"}
        self.assertEqual(self.states(), {"": "ended", "second": "ended"})
        self.ask("third")
        self.wait_cut(first)
        self.restart()
        self.assertEqual(self.states(), {"": "ended", "second": "ended", "third": "running"})
        self.assertEqual(self.clients(), waiting)

    def test_a_deep_registration_of_a_run_that_is_forgotten(self):
        self.begin_soon(limits={"json-depth": 1000})
        deep = {}
        for _ in range(300):
            deep = {"in": deep}
        red = self.client(deep=deep)
        red.expect("dance")
        self.assertTaken(red.report("danced", deep=deep))
        first = self.first()
        before = self.daemon.get(f"/runs/{first}/status.json")
        self.assertEqual(before.status, 200)
        self.ask("second")
        self.wait_cut(first)
        after = self.daemon.get(f"/runs/{first}/status.json")
        self.assertEqual(after.status, 200, after.body[:500])
        self.assertEqual(after.json["suites"], before.json["suites"])


class CompactionTest(JournalTest):
    """What inputs have led to takes their place when the server starts."""
    COMPACT = {"compact-after": 5}

    def begin_compact(self, *definitions, retries=0, **timeouts):
        self.begin(*definitions, config={"server": self.COMPACT, "tests": {"retries": retries},
                                         "timeouts": timeouts or LATE})

    def parts(self):
        """How many parts of a snapshot the journal has."""
        return self.look("SELECT count(*) FROM inputs WHERE text LIKE '%\"snapshot\"%'")

    def talk(self, client):
        """What the journal keeps, and a snapshot hardly."""
        for number in range(10):
            self.assertProblem(self.back(client).report("danced", id=f"none {number}",
                                                        more="x" * 10000), 409)

    def restart_compact(self, client):
        """Killed; it starts twice, and the second time from the snapshot of the first."""
        self.talk(client)
        self.restart()
        self.daemon.wait_for_log("takes the place of")
        self.assertGreater(self.parts(), 0)
        return self.restart()

    def everything(self):
        cases = {case["id"]: self.daemon.get(f"/status/{case['id']}/status.json").json
                 for case in self.daemon.cases()}
        pictures = [self.daemon.get(f"/status/{case}/statemachine.dot").body for case in cases]
        for case in cases.values():
            del case["duration"]
        return without_times(self.daemon.status()), cases, pictures

    def test_all_stands_as_it_stood(self):
        self.begin_compact(duet(), solo("Failing", "element-android"),
                           solo("Later", "element-ios"), retries=1)
        red, green = self.pair()
        given = red.expect("dance")
        droid = self.client("element-android", version="7", tags=["a", {"b": None}])
        self.client("element-phone")
        droid.act("dance", "failed", text="é \x1b[31m \u0000", number=1.5)
        self.talk(green)
        before = self.everything()
        self.restart()
        self.assertEqual(self.everything(), before)
        self.daemon.wait_for_log("takes the place of")
        self.restart()
        self.assertEqual(self.everything(), before)
        self.assertEqual(self.back(red).expect("dance")["id"], given["id"])
        self.assertTaken(self.back(red).report("danced", id=given["id"]))
        self.restart_compact(green)
        self.assertTaken(self.back(red).report("danced", id=given["id"]))
        self.back(green).act("sing", "sung")
        self.client("element-android").act("dance", "danced")
        self.client("element-ios").act("dance", "danced")
        wait_until(lambda: self.daemon.status()["totals"]["success"] == 3, 10, "all cases")
        self.restart_compact(green)
        self.assertEqual(self.daemon.status()["totals"]["success"], 3)

    def test_a_run_of_a_snapshot_is_forgotten(self):
        """Runs that share a snapshot go one after the other, and it goes with the last one."""
        self.begin_compact(solo())
        first = self.first()
        who = self.client(id="before")
        who.act("dance", "danced")
        second = self.ask("second")
        wait_until(lambda: self.states() == {"": "ended", "second": "running"}, 10, "the second")
        self.client("element-phone", id="phone")
        self.restart_compact(who)
        self.daemon.kill()
        self.more["config"]["timeouts"] = SOON
        self.start_again()
        self.wait_cut(first)
        self.assertGreater(self.parts(), 0)
        self.restart()
        wanted = {"": "ended", "second": "running"}
        self.assertEqual(self.states(), wanted)
        self.assertEqual(self.clients(), {"phone": "waiting"})
        self.client(id="before").act("dance", "danced")  # nobody remembers it
        self.ask("third")
        self.wait_cut(second)
        wait_until(lambda: self.parts() == 0, 20, "the end of the snapshot")
        self.restart()
        self.assertEqual(self.states(), {**wanted, "second": "ended", "third": "running"})
        self.assertEqual(self.clients(), {"phone": "waiting"})

    def test_a_short_journal_stays_as_it_is(self):
        self.begin(duet(), config={"timeouts": LATE})
        self.pair()
        self.restart()
        self.restart()
        self.assertEqual(self.parts(), 0)

    def test_a_snapshot_of_another_version(self):
        self.begin_compact(duet())
        self.talk(self.pair()[0])
        self.restart()
        self.daemon.wait_for_log("takes the place of")
        self.daemon.kill()
        link = self.open()
        link.execute("UPDATE inputs SET text = replace(text, '\"version\":1,', "
                     "'\"version\":2,') WHERE text LIKE '%\"what\":\"engine\"%'")
        link.close()
        done = run(DAEMON, "--config", self.write_settings(self.more["config"]))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("has version 2", done.stderr)


class StartTest(JournalTest):
    """What a start has to do first."""

    def stopped(self, **config):
        """A server that was there and stopped, so that the next one begins anew."""
        self.begin(solo(), config=config)
        self.daemon.stop()

    def start_waiting(self):
        """It has begun to start on a disk that takes nothing; gives the disk."""
        disk = self.lock()
        self.start(**self.more, listeners=0)
        self.daemon.wait_for_log("read 1 test files")
        return disk

    def wait_listening(self):
        line = self.daemon.wait_for_log("listening on", 20)
        self.daemon.url = line.split("listening on ")[1].split()[0]

    def wait_running(self):
        return wait_until(lambda: [run["id"] for run in self.daemon.get("/runs").json["runs"]
                                   if run["state"] == "running"], PATIENT, "a run that goes")

    def test_mistakes_are_mended(self):
        self.stopped(tests={"strict": "yes"})
        broken = self.write_definition('{"name": "x"}', name="broken_test.json")
        for _ in range(2):
            done = run(DAEMON, "--config", self.write_settings(self.more["config"]))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("broken_test.json", done.stderr)
        broken.unlink()
        self.start_again()
        self.wait_running()
        self.client().act("dance", "danced")
        self.assertOutcome("success")

    def test_it_can_not_listen(self):
        """A start that fails later than that is followed by one that begins a run, too."""
        self.stopped()
        done = run(DAEMON, "--config", self.write_settings(
            {"server": {"listen": "no.such.host.invalid:1"}}))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.start_again()
        self.wait_running()

    def test_the_disk_takes_it_late(self):
        """The first run begins by itself as soon as it can be written down."""
        self.stopped()
        disk = self.start_waiting()
        self.wait_listening()
        # nothing that came before this was taken either
        self.assertProblem(self.post("/client/phone/register", {"type": "element-phone"}), 503)
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        disk.close()
        going = self.wait_running()
        self.assertEqual(len(going), 1)
        self.restart()
        self.assertEqual(self.wait_running(), going)
        self.client().act("dance", "danced")
        self.assertOutcome("success")

    def test_the_disk_takes_it_soon(self):
        self.stopped()
        disk = self.start_waiting()
        disk.close()
        self.wait_listening()
        going = self.wait_running()
        self.restart()
        self.assertEqual(self.wait_running(), going)
        self.client().act("dance", "danced")
        self.assertOutcome("success")

    def check_signal(self, number):
        """It ends although the disk takes nothing, and the next start begins a run."""
        self.stopped()
        disk = self.start_waiting()
        self.daemon.signal(number)
        self.assertGreaterEqual(self.daemon.wait(20), 0)
        disk.close()
        self.start_again()
        self.wait_running()
        self.client().act("dance", "danced")
        self.assertOutcome("success")

    def test_sigterm(self):
        self.check_signal(signal.SIGTERM)

    def test_sigusr1(self):
        self.check_signal(signal.SIGUSR1)

    def test_sighup(self):
        self.stopped()
        disk = self.start_waiting()
        self.daemon.signal(signal.SIGHUP)
        disk.close()
        self.wait_listening()
        self.wait_running()
        self.client().act("dance", "danced")
        self.assertOutcome("success")


class LimitTest(JournalTest):
    def test_one_run_at_a_time(self):
        self.begin(solo(), config={"limits": {"runs": 1}, "timeouts": SOON})
        self.assertProblem(self.post("/runs"), 503)
        for label in ("second", "third"):
            self.client().act("dance", "danced")
            wait_until(lambda: "running" not in self.states().values(), 10, "the end of a run")
            answer = wait_until(lambda label=label: [
                answer for answer in [self.post("/runs", {"label": label})]
                if answer.status != 503], 15, "room for another run")[0]
            self.assertEqual(answer.status, 201, answer.body)
            self.assertProblem(self.post("/runs"), 503)
        self.restart()
        self.assertEqual(self.states(), {"": "ended", "second": "ended", "third": "running"})

    def test_cases_of_a_run_that_is_asked_for(self):
        self.begin(solo("One"), solo("Two"),
                   config={"limits": {"cases": 6}, "tests": {"autostart": "no"}})
        self.assertProblem(self.post("/runs", {"repeat": 4}), 422, "6", "cases")
        self.assertProblem(self.post("/runs", {"repeat": 7, "only": "*.One"}), 422, "cases")
        self.assertEqual(self.states(), {})
        self.assertEqual(self.post("/runs", {"repeat": 3}).json["cases"], 6)
        self.restart()
        self.assertEqual(self.daemon.status()["totals"]["cases"], 6)

    def test_cases_of_the_run_that_begins_by_itself(self):
        self.begin(solo("One"), solo("Two"),
                   config={"limits": {"cases": 5}, "tests": {"repeat": 3}})
        self.daemon.wait_for_log(r"<3>error: .*\bcases\b")
        self.assertEqual(self.states(), {})
        self.assertEqual(self.daemon.status()["totals"]["cases"], 0)
        self.assertEqual(self.post("/runs", {"repeat": 2}).json["cases"], 4)

    def test_how_many_that_may_be(self):
        for value, good in ((1, True), (10000000, True), (0, False), (10000001, False),
                            (-1, False), ("many", False)):
            with self.subTest(value):
                done = run(DAEMON, "--check-config", "--config", self.write_settings(
                    {"limits": {"cases": value}}))
                self.assertEqual(done.returncode == 0, good, done.stderr)
                if not good:
                    self.assertIn("cases", done.stderr)
                    self.assertNotIn("unknown", done.stderr)


class LastTest(JournalTest):
    def test_a_run_is_asked_for_while_it_leaves(self):
        self.begin(*(solo(f"S{number}") for number in range(10)),
                   config={"tests": {"autostart": "no"}})
        asked = self.send("/runs", {"label": "late", "repeat": 3000})
        self.daemon.signal(signal.SIGUSR1)
        answer = asked.result(30)
        self.assertIn(answer.status, (201, 503), answer.body[:500])
        self.assertEqual(self.daemon.wait(30), 0)
        self.start_again()
        self.assertEqual(list(self.states()), ["late"] if answer.status == 201 else [])

    def test_a_run_is_asked_for_during_the_last_words(self):
        self.begin(solo(), options=("--once",))
        silent = self.client("element-phone")
        self.cancel(self.first())
        self.assertProblem(self.post("/runs", {"label": "late"}), 503)
        self.assertEqual(self.states(), {"": "ended"})
        silent.expect_exit()
        self.assertEqual(self.daemon.wait(20), 1)
        self.more = {"config": {"tests": {"autostart": "no"}}}
        self.start_again()
        self.assertEqual(self.states(), {"": "ended"})


if __name__ == "__main__":
    unittest.main()
