# SPDX-License-Identifier: Apache-2.0
"""Runs: they are asked for, queued, looked at, cancelled, kept, and forgotten by the engine but not
by the history."""
import re
import unittest
import urllib.parse

from harness import (ServerTest, check_junit, definition, does, duet, junit_outcome,
                     junit_sums, later, request, solo, state, wait_until)
from test_uploads import FORM, form, part, upload

UNKNOWN = "00000000-0000-4000-8000-000000000000"
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
HTML = {"Accept": "text/html,application/xhtml+xml"}
IDLE = {"tests": {"autostart": "no"}}
SOON = {"timeouts": {"active-client": "200ms"}}  # so that ended runs are forgotten soon


class RunTest(ServerTest):
    def post(self, path, body=None, headers=None):
        return request(self.daemon.url, "POST", path, body, headers)

    def ask(self, body=None, headers=None):
        return self.post("/runs", body, headers)

    def begin(self, **wish):
        """Ask for a run; gives its id."""
        answer = self.ask(wish)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json["id"]

    def runs(self):
        answer = self.daemon.get("/runs")
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["runs"]

    def current(self):
        """The id of the run that people look at."""
        return self.daemon.status()["run"]["id"]

    def look(self, run):
        answer = self.daemon.get(f"/runs/{run}/status.json")
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def cases_of(self, run):
        return [case for suite in self.look(run)["suites"] for case in suite["cases"]]

    def junit_of(self, run):
        answer = self.daemon.get(f"/runs/{run}/junit.xml")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn("xml", answer.headers["Content-Type"])
        return check_junit(answer.body)

    def wait_run(self, run, state="ended"):
        return wait_until(lambda: self.look(run)["run"]["state"] == state, 10,
                          f"run {run}: {state}")

    def wait_forgotten(self, run):
        """Wait until the document is the history's: its clock stands still."""
        seen = []

        def stands_still():
            seen.append(self.look(run)["server"]["now"])
            return len(seen) > 1 and seen[-1] == seen[-2]

        wait_until(stands_still, 20, f"run {run} to be forgotten by the engine")

    def dance(self, response="danced", **more):
        """A client that plays a case of solo()."""
        client = self.client(**more)
        client.act("dance", response)
        return client

    def play_run(self, response="danced", **wish):
        """A run of one solo() from its beginning to its end; gives its id."""
        run = self.begin(**wish)
        self.dance(response)
        self.wait_run(run)
        return run


class AskTest(RunTest):
    def test_nothing_runs_before_somebody_asks(self):
        self.start(solo(), config=IDLE)
        status = self.daemon.status()
        self.assertEqual((status["server"]["done"], status["run"], status["suites"]),
                         (True, None, []))
        self.assertEqual(status["totals"]["cases"], 0)
        self.assertEqual(self.runs(), [])
        for path in ("/status", "/runs", "/history"):
            self.assertEqual(self.daemon.get(path, headers=HTML).status, 200, path)
        self.assertEqual(len(check_junit(self.daemon.get("/status/junit.xml").body)), 0)
        self.assertEqual(self.client().poll(wait=0)["action"], "idle")

    def test_a_run_is_made_and_goes(self):
        self.start(solo(), config=IDLE)
        waiting = self.client()
        answer = self.ask({})
        self.assertEqual(answer.status, 201)
        made = answer.json
        self.assertRegex(made["id"], UUID)
        self.assertEqual((made["cases"], made["state"], made["label"]), (1, "running", ""))
        self.assertEqual(answer.headers["Location"], f"/runs/{made['id']}/status")
        self.assertEqual(self.daemon.get(answer.headers["Location"]).status, 200)
        waiting.act("dance", "danced")
        self.wait_run(made["id"])
        self.assertEqual(self.daemon.case()["state"], "success")
        self.assertEqual(self.current(), made["id"])

    def test_very_many_start_at_once(self):
        self.start(solo(), config=IDLE)
        clients = [self.client() for _ in range(300)]
        held = [later(client.poll, 60) for client in clients]
        wait_until(lambda: all(client["last_polled"]
                               for client in self.daemon.status()["clients"]), 20)
        self.begin(repeat=200)
        self.assertEqual([poll.result(20)["action"] for poll in held[:200]], ["dance"] * 200)
        self.assertEqual(self.daemon.status()["totals"]["running"], 200)
        self.assertFalse(any(poll.done() for poll in held[200:]))
        self.daemon.stop()
        self.assertEqual([poll.result(20)["action"] for poll in held[200:]], ["exit"] * 100)

    def test_what_can_be_wished(self):
        self.start(solo("One"), solo("Two"), duet("Three"), config=IDLE)
        for wish, cases, label in (
                ({}, 3, ""), ({"label": "nightly", "more": [1]}, 3, "nightly"),
                ({"only": ["e2e.One"]}, 1, ""), ({"only": "e2e.T*"}, 2, ""),
                ({"only": ["e2e.One", "e2e.Three/red=*"]}, 2, ""), ({"only": []}, 3, ""),
                ({"repeat": 4, "only": "*.One"}, 4, ""), ({"repeat": "2"}, 6, ""),
                ({"label": None, "only": None, "repeat": None}, 3, ""),
                ({"label": "\u00e4" * 200}, 3, "\u00e4" * 200)):
            with self.subTest(wish):
                made = self.ask(wish).json
                self.assertEqual((made["cases"], made["label"]), (cases, label))
                self.assertEqual(self.look(made["id"])["run"]["label"], label)
                self.assertEqual(len(self.cases_of(made["id"])), cases)

    def test_a_form_and_no_body(self):
        self.start(solo("One"), solo("Two"), config=IDLE)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urllib.parse.urlencode({"label": "by form", "only": "*.Two", "repeat": "3"})
        made = self.ask(body, headers).json
        self.assertEqual((made["cases"], made["label"]), (3, "by form"))
        self.assertEqual(self.ask('{"repeat": 2}', headers).json["cases"], 4)
        self.assertEqual(self.ask().json["cases"], 2)

    def test_bad_wishes(self):
        self.start(solo(), config=IDLE)
        for body, word in ((b"{", "JSON"), (b"[]", "object"), (b'{"label": 5}', "label"),
                           (b'{"label": "a\\u0000b"}', "label"),
                           (b'{"label": "%s"}' % (b"x" * 201), "label"),
                           (b'{"only": 5}', "only"), (b'{"only": [5]}', "only"),
                           (b'{"only": {"a": 1}}', "only"), (b'{"repeat": 0}', "repeat"),
                           (b'{"repeat": -1}', "repeat"), (b'{"repeat": 10001}', "repeat"),
                           (b'{"repeat": 1.5}', "repeat"), (b'{"repeat": "x"}', "repeat"),
                           (b'{"repeat": ""}', "repeat"), (b'{"repeat": true}', "repeat"),
                           (b'{"repeat": 99999999999999999999}', "repeat"),
                           (b'{"only": [%s"*"]}' % (b'"*",' * 1000), "1000"),
                           (b'{"only": "%s"}' % (b"x" * 301), "300"),
                           (b'{"only": ["*", "%s"]}' % (b"*" * 301), "300")):
            with self.subTest(body[:40]):
                self.assertProblem(self.ask(body), 400, word)
        self.assertProblem(self.ask(form(part(b"x", "a.txt")), FORM), 415)
        self.assertEqual(self.runs(), [])

    def test_nothing_fits(self):
        self.start(solo(), config=IDLE)
        self.assertProblem(self.ask({"only": ["chat.*"]}), 422, "only")
        self.assertProblem(self.ask({"only": ["\u00e4" * 300]}), 422, "only")
        self.assertEqual(self.runs(), [])

    def test_mistakes_in_definitions(self):
        bad = solo("Bad", stats={})
        self.start(bad, config=IDLE)
        self.assertProblem(self.ask({}), 422, "stats", "bad_test.json")
        self.write_definition(solo("Good"))
        self.assertEqual(self.ask({}).json["cases"], 1)
        self.daemon.wait_for_log("stats")

    def test_one_mistake_is_enough_if_it_is_strict(self):
        self.start(solo("Good"), config={"tests": {"autostart": "no", "strict": "yes"}})
        self.begin()
        bad = self.write_definition(solo("Bad", stats={}))
        self.assertProblem(self.ask({}), 422, "stats", bad.name)
        self.assertEqual(len(self.runs()), 1)

    def test_there_may_be_so_many(self):
        self.start(solo(), config={"limits": {"runs": 2}})
        self.begin()
        answer = self.ask({})
        self.assertProblem(answer, 503, "2 runs")
        self.assertTrue(answer.headers["Retry-After"])

    def test_pages_of_others_may_not_ask(self):
        self.start(solo())
        run, here = self.current(), self.daemon.url
        for path in ("/runs", f"/runs/{run}/cancel",
                     f"/status/{self.daemon.case()['id']}/cancel"):
            for origin in ("http://evil.example", "null"):
                answer = self.post(path, b"", {"Origin": origin})
                self.assertProblem(answer, 403, origin)
        self.assertEqual(self.ask({}, {"Origin": here}).status, 201)
        self.assertTaken(self.post(f"/runs/{run}/cancel", {}, {"Origin": here}))

    def test_definitions_are_read_anew(self):
        path = self.write_definition(solo("Before"))
        self.start()
        first = self.current()
        path.unlink()
        self.write_definition(solo("After"))
        second = self.begin()
        self.assertEqual(self.look(first)["suites"][0]["name"], "Before")
        self.assertEqual(self.look(second)["suites"][0]["name"], "After")

    def test_runs_queue_and_waiting_clients_serve_the_next(self):
        self.start(solo())
        first = self.current()
        second, third = self.ask({"label": "b"}).json, self.ask({"label": "c"}).json
        self.assertEqual((second["state"], third["state"]), ("queued", "queued"))
        self.assertIn("queued", self.cases_of(second["id"])[0]["message"])
        self.assertFalse(self.look(second["id"])["server"]["done"])
        self.assertEqual(self.current(), first)
        one, other, last = (self.client() for _ in range(3))
        one.act("dance", "danced")
        self.wait_run(first)
        self.wait_run(second["id"], "running")
        other.act("dance", "danced")
        self.wait_run(second["id"])
        last.act("dance", "danced")
        self.wait_run(third["id"])
        self.assertEqual(self.current(), third["id"])
        for run, client in ((first, one), (second["id"], other), (third["id"], last)):
            played = self.cases_of(run)[0]["roles"]["red"]["client"]
            self.assertEqual(played, client.id)
        one.expect_exit()

    def test_a_settings_change_is_for_the_next_run(self):
        self.start(solo("One"), solo("Two"), config=IDLE)
        self.assertEqual(self.ask().json["cases"], 2)
        self.write_settings({"tests": {"autostart": "no", "only": "*.One", "repeat": 3}})
        self.daemon.signal(1)
        self.daemon.wait_for_log("repeat")
        self.assertEqual(self.ask().json["cases"], 3)
        self.assertEqual(self.ask({"only": ["*"], "repeat": 1}).json["cases"], 2)


class ListTest(RunTest):
    def test_the_newest_is_first(self):
        self.start(solo(), config=IDLE)
        first = self.play_run(label="one & only <x>")
        second, third = self.begin(label="two"), self.begin()
        runs = self.runs()
        self.assertEqual([run["id"] for run in runs], [third, second, first])
        self.assertEqual([run["state"] for run in runs], ["queued", "running", "ended"])
        self.assertEqual([run["label"] for run in runs], ["", "two", "one & only <x>"])
        for run in runs:
            self.assertEqual(run["totals"]["cases"], 1)
            self.assertEqual(run["started"] is None, run["state"] == "queued")
            self.assertEqual(run["ended"] is None, run["state"] != "ended")
        self.assertEqual(runs[2]["totals"]["success"], 1)

    def test_a_page_for_people(self):
        self.start(solo(), config=IDLE)
        run = self.play_run(label="one & only <x>")
        page = self.daemon.get("/runs", headers=HTML)
        self.assertIn("text/html", page.headers["Content-Type"])
        text = page.body.decode()
        self.assertIn("one &amp; only &lt;x&gt;", text)
        self.assertIn(f"/runs/{run}/status", text)
        self.assertIn("json", self.daemon.get("/runs").headers["Content-Type"])

    def test_those_that_are_forgotten_stay_in_the_list(self):
        self.start(solo(), config={**IDLE, **SOON})
        runs = [self.play_run(label=str(number)) for number in range(3)]
        before = self.runs()
        for run in runs[:2]:
            self.wait_forgotten(run)
        self.assertEqual(self.runs(), before)
        self.assertEqual([run["id"] for run in before], runs[::-1])


def picture_paths(case):
    return [f"/status/{case}/{name}.{ending}" for name in ("statemachine", "context")
            for ending in ("dot", "svg", "png")]


class DocumentTest(RunTest):
    def documents(self, run):
        """All that is to be seen of a run with one case, by path, without what changes with time."""
        suite, = self.look(run)["suites"]
        case = suite["cases"][0]["id"]
        paths = [f"/runs/{run}/status", f"/runs/{run}/status.json", f"/runs/{run}/junit.xml",
                 f"/status/{suite['id']}/suitestatus", f"/status/{case}/status",
                 f"/status/{case}/status.json", *picture_paths(case)]
        paths += [f"/status/{case}/files/{name}" for name in suite["cases"][0]["files"]]
        answers = {path: self.daemon.get(path, headers=HTML) for path in paths}
        for path, answer in answers.items():
            self.assertEqual(answer.status, 200, (path, answer.body[:300]))
        return {path: (answer.headers["Content-Type"],
                       re.sub(rb'"(now|last_polled)": ?"[^"]*"', b"", answer.body))
                for path, answer in answers.items()}

    def test_while_it_goes(self):
        self.start(duet())
        run = self.current()
        red, _ = self.pair()
        red.act("dance", "danced")
        self.assertEqual(self.look(run)["totals"]["running"], 1)
        self.assertFalse(self.look(run)["server"]["done"])
        self.assertEqual(self.look(run)["server"]["run"], run)
        self.assertEqual(junit_outcome(self.junit_of(run)).kind, "error")
        self.assertTrue(self.documents(run))

    def test_a_run_that_is_queued(self):
        self.start(solo())
        run = self.begin()
        self.assertEqual(junit_outcome(self.junit_of(run)).kind, "skipped")
        self.assertTrue(self.documents(run))

    def test_after_its_end_and_when_the_engine_has_forgotten_it(self):
        self.start(solo(), config={**IDLE, **SOON})
        run = self.begin(label="first")
        client = self.client()
        client.expect("dance")
        upload(client, b"\x89PNG no picture", "a.png")
        upload(client, b"what was said", "log.txt")
        client.report("danced")
        self.wait_run(run)
        before = self.documents(run)
        self.assertEqual(len(before), 14)
        self.begin(label="second")
        self.wait_forgotten(run)
        self.assertEqual(self.look(run)["run"]["label"], "first")
        self.assertTrue(self.look(run)["server"]["done"])
        after = self.documents(run)
        self.assertEqual(before.keys(), after.keys())
        for path, (kind, body) in before.items():
            self.assertEqual(after[path][0], kind, path)
            if not path.endswith("status"):  # pages name the time and what else there is
                self.assertEqual(after[path][1], body, path)
        file = next(path for path in after if path.endswith("log.txt"))
        self.assertEqual(after[file][1], b"what was said")
        self.assertEqual(junit_outcome(self.junit_of(run)).kind, "success")

    def test_a_forgotten_client_is_unknown(self):
        self.start(solo(), config={**IDLE, **SOON})
        run = self.begin()
        client = self.dance()
        self.wait_run(run)
        self.begin()
        self.wait_forgotten(run)
        self.assertExit(client.poll())
        self.assertProblem(client.report("danced"), 404)

    def test_a_late_upload_is_in_the_history(self):
        self.start(solo(), config={**IDLE, "timeouts": {"active-client": "3s"}})
        run = self.begin()
        client = self.dance()
        self.wait_run(run)
        self.begin()
        self.assertTaken(upload(client, b"a film", "film.mp4"))
        self.wait_forgotten(run)
        case = self.cases_of(run)[0]
        self.assertEqual(case["files"], ["red_film.mp4"])
        file = self.daemon.get(f"/status/{case['id']}/files/red_film.mp4")
        self.assertEqual((file.status, file.body), (200, b"a film"))

    def test_what_is_not_there(self):
        self.start(solo())
        for path in ("status", "status.json", "junit.xml"):
            self.assertProblem(self.daemon.get(f"/runs/{UNKNOWN}/{path}"), 404, "run")
        for path in ("status", "status.json", "suitestatus", "statemachine.svg",
                     "files/a.txt"):
            self.assertProblem(self.daemon.get(f"/status/{UNKNOWN}/{path}"), 404)
        self.assertProblem(self.daemon.get("/runs/a%2Fb/status"), 404)
        self.assertProblem(self.daemon.get(f"/runs/{UNKNOWN}"), 404)
        page = self.daemon.get(f"/runs/{UNKNOWN}/status", headers=HTML)
        self.assertEqual(page.status, 404)
        self.assertIn("text/html", page.headers["Content-Type"])

    def test_methods(self):
        self.start(solo())
        run, case = self.current(), self.daemon.case()["id"]
        for path in ("/runs", f"/runs/{run}/status", f"/runs/{run}/status.json",
                     f"/runs/{run}/junit.xml", "/history", "/history.json"):
            with self.subTest(path):
                answer = request(self.daemon.url, "HEAD", path)
                self.assertEqual((answer.status, answer.body), (200, b""))
                self.assertEqual(request(self.daemon.url, "DELETE", path).status, 405)
        for path, allowed in (("/runs", "GET, HEAD, POST"), ("/history", "GET, HEAD"),
                              (f"/runs/{run}/cancel", "POST"),
                              (f"/status/{case}/cancel", "POST")):
            answer = request(self.daemon.url, "PUT", path, b"{}")
            self.assertProblem(answer, 405)
            self.assertEqual(sorted(answer.headers["Allow"].split(", ")),
                             sorted(allowed.split(", ")), path)
        self.assertEqual(request(self.daemon.url, "HEAD", f"/runs/{UNKNOWN}/status").status,
                         404)


class CancelTest(RunTest):
    def test_a_run(self):
        self.start(solo("Ended"), duet("Going"), solo("Waiting", type="element-ios"))
        run = self.current()
        self.dance()
        self.daemon.wait_case("success", index=0)
        red, green = self.pair()
        red.act("dance", "danced")
        self.assertTaken(self.post(f"/runs/{run}/cancel", {"by": "jenkins"}))
        self.wait_run(run)
        ended, going, waiting = self.cases_of(run)
        self.assertEqual(ended["state"], "success")
        for case in (going, waiting):
            self.assertEqual(case["state"], "error")
            self.assertRegex(case["message"], r"cancelled.* by jenkins \(127\.0\.0\.1")
        self.assertIn("jenkins", red.expect_exit())
        self.assertIn("jenkins", green.expect_exit())
        root = self.junit_of(run)
        self.assertEqual(junit_outcome(root, 1).kind, "error")
        self.assertIn("jenkins", junit_outcome(root, 2).words)
        self.assertProblem(self.post(f"/runs/{run}/cancel"), 409)

    def test_without_a_name_the_address_says_who(self):
        self.start(solo())
        self.assertTaken(self.post(f"/runs/{self.current()}/cancel"))
        self.assertRegex(self.daemon.case()["message"], r"by 127\.0\.0\.1")

    def test_a_form_says_who(self):
        self.start(solo())
        self.assertTaken(self.post(f"/runs/{self.current()}/cancel", b"by=a+person", {
            "Content-Type": "application/x-www-form-urlencoded"}))
        self.assertIn("by a person (", self.daemon.case()["message"])

    def test_a_name_is_cut_and_cleaned(self):
        self.start(solo())
        self.assertTaken(self.post(f"/runs/{self.current()}/cancel",
                                   {"by": "\x1b[31m" + "\u00e4" * 500}))
        message = self.daemon.case()["message"]
        self.assertLess(len(message), 300)
        check_junit(self.daemon.get("/status/junit.xml").body)

    def test_a_run_that_is_queued(self):
        self.start(solo())
        first, second, third = self.current(), self.begin(), self.begin()
        self.assertTaken(self.post(f"/runs/{second}/cancel", {"by": "me"}))
        self.wait_run(second)
        self.assertIn("by me", self.cases_of(second)[0]["message"])
        self.assertEqual(self.look(first)["run"]["state"], "running")
        self.dance()
        self.wait_run(first)
        self.wait_run(third, "running")
        self.assertEqual(self.current(), third)

    def test_a_case(self):
        self.start(duet("One"), duet("Two"))
        one, two = self.daemon.cases()
        red, green = self.pair()
        red.expect("dance")
        self.assertTaken(self.post(f"/status/{one['id']}/cancel", {"by": "me"}))
        case = self.daemon.wait_case("error")
        self.assertIn("by me (127.0.0.1", case["message"])
        red.expect_exit(), green.expect_exit()
        self.assertProblem(self.post(f"/status/{one['id']}/cancel"), 409)
        self.assertEqual(self.daemon.case(1)["state"], "waiting")
        self.assertTaken(self.post(f"/status/{two['id']}/cancel"))
        self.assertTrue(self.daemon.status()["server"]["done"])
        self.assertProblem(self.post(f"/runs/{self.current()}/cancel"), 409)

    def test_the_next_run_begins_after_a_cancelled_one(self):
        self.start(solo())
        second = self.begin()
        self.post(f"/runs/{self.current()}/cancel")
        self.wait_run(second, "running")
        self.dance()
        self.wait_run(second)
        self.assertEqual(self.cases_of(second)[0]["state"], "success")

    def test_what_is_not_there(self):
        self.start(solo())
        self.assertProblem(self.post(f"/runs/{UNKNOWN}/cancel"), 404)
        self.assertProblem(self.post(f"/status/{UNKNOWN}/cancel"), 404)
        self.assertProblem(self.post(f"/runs/{self.current()}/cancel", b"{"), 400)

    def test_what_is_forgotten_had_ended(self):
        self.start(solo(), config={**IDLE, **SOON})
        run = self.play_run()
        case = self.cases_of(run)[0]["id"]
        self.begin()
        self.wait_forgotten(run)
        self.assertProblem(self.post(f"/runs/{run}/cancel"), 409, "ended")
        self.assertProblem(self.post(f"/status/{case}/cancel"), 409, "ended")


class HistoryTest(RunTest):
    def history(self):
        answer = self.daemon.get("/history.json")
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def wait_history(self, runs):
        wait_until(lambda: self.history()["runs"] == runs, 15, f"{runs} runs in the history")
        return self.history()

    def play(self, *responses, **wish):
        """A run in which the cases of one solo() each get one of these responses, one after the
        other; gives its id."""
        run = self.begin(**wish)
        for response in responses:
            self.dance(response)
        self.wait_run(run)
        return run

    def test_outcomes_over_runs(self):
        self.start(solo("Steady"), solo("Wavering"), config=IDLE)
        for number, response in enumerate(("danced", "failed", "danced"), 1):
            run = self.begin(label=str(number))
            self.dance("danced")
            self.dance(response)
            self.wait_run(run)
        wavering, steady = self.wait_history(3)["tests"]
        self.assertEqual((wavering["test"], steady["test"]), ("e2e.Wavering", "e2e.Steady"))
        self.assertEqual((wavering["is_flaky"], steady["is_flaky"]), (True, False))
        self.assertEqual((steady["runs"], steady["passed"], steady["pass_rate"]), (3, 3, 1))
        self.assertIsNone(steady["changed"])
        self.assertEqual((wavering["passed"], wavering["failed"]), (2, 1))
        self.assertAlmostEqual(wavering["pass_rate"], 2 / 3, places=3)
        self.assertEqual([one["state"] for one in wavering["outcomes"]],
                         ["success", "failed", "success"])
        changed = wavering["changed"]
        self.assertEqual((changed["from"], changed["to"], changed["run"]),
                         ("failed", "success", run))
        self.assertEqual(wavering["last"]["run"], run)
        self.assertEqual(self.daemon.get(f"/status/{changed['case']}/status").status, 200)
        self.assertEqual((steady["name"], steady["types"]), ("red=element-web", "element-web"))
        page = self.daemon.get("/history", headers=HTML)
        self.assertIn("text/html", page.headers["Content-Type"])
        text = page.body.decode()
        self.assertLess(text.index("Wavering"), text.index("Steady"))

    def test_retries_are_flaky(self):
        self.start(solo(), config={"tests": {"autostart": "no", "retries": 1}})
        run = self.begin()
        self.dance("failed")
        self.dance("danced")
        self.wait_run(run)
        test, = self.wait_history(1)["tests"]
        self.assertEqual((test["passed"], test["flaky"], test["is_flaky"]), (1, 1, True))
        self.assertTrue(test["outcomes"][0]["flaky"])

    def test_a_run_that_goes_is_no_history(self):
        self.start(solo())
        self.assertEqual(self.history()["tests"], [])
        self.dance()
        self.assertEqual(len(self.wait_history(1)["tests"]), 1)

    def test_runs_that_end_quickly_are_kept_as_quickly(self):
        self.start(solo(), config=IDLE)
        for _ in range(40):
            self.begin()
        for _ in range(40):
            self.dance()
        test, = self.wait_history(40)["tests"]
        self.assertEqual((test["runs"], len(test["outcomes"])), (40, 30))

    def test_only_so_many_are_kept(self):
        self.start(solo(), config={**IDLE, **SOON, "history": {"keep": 2}})
        first = self.begin()
        client = self.client()
        client.expect("dance")
        upload(client, b"what was said", "log.txt")
        client.report("danced")
        self.wait_run(first)
        case = self.cases_of(first)[0]["id"]
        places = list((self.folder / "state").rglob(f"*{first}*"))
        self.assertTrue(places)
        later = [self.play_run() for _ in range(3)]
        wait_until(lambda: self.daemon.get(f"/runs/{first}/status").status == 404, 20,
                   "the end of the first run")
        wait_until(lambda: not any(place.exists() for place in places), 10, "its files' end")
        wait_until(lambda: [run["id"] for run in self.runs()] == later[:0:-1], 15,
                   "two runs that are kept")
        self.assertEqual(self.history()["runs"], 2)
        for path in ("status", "status.json", "files/red_log.txt", "statemachine.dot"):
            self.assertProblem(self.daemon.get(f"/status/{case}/{path}"), 404)

    def test_it_survives_a_restart(self):
        self.start(solo(), config=IDLE)
        run = self.play_run(label="before")
        self.wait_history(1)
        self.daemon.stop()
        self.start(config=IDLE)
        self.assertEqual([one["label"] for one in self.runs()], ["before"])
        self.assertEqual(self.history()["runs"], 1)
        self.assertEqual(self.cases_of(run)[0]["state"], "success")
        self.assertEqual(junit_sums(self.junit_of(run)), [])


if __name__ == "__main__":
    unittest.main()
