# SPDX-License-Identifier: Apache-2.0
"""Cases that are tried again: each attempt is there to be seen, the last one is the outcome."""
import unittest

from harness import (ServerTest, duet, junit_outcome, request, solo, state, does,
                     definition, wait_until)
from test_uploads import upload

TWICE = {"tests": {"retries": 1}}


class RetryTest(ServerTest):
    def dance(self, response="danced", **members):
        client = self.client()
        client.act("dance", response, **members)
        return client

    def case_json(self, index=0):
        return self.daemon.get(f"/status/{self.daemon.case(index)['id']}/status.json").json

    def junit_case(self, index=0):
        return list(self.daemon.junit().iter("testcase"))[index]


class OutcomeTest(RetryTest):
    def test_success_in_the_end_is_flaky(self):
        self.start(solo(), config=TWICE)
        first = self.dance("failed")
        waiting = self.daemon.wait_case("waiting")
        self.assertIn("tried again", waiting["message"])
        self.assertIn("attempt 1", waiting["message"])
        self.assertFalse(self.daemon.status()["server"]["done"])
        self.assertIn("failed", first.expect_exit())
        second = self.dance()
        case = self.daemon.wait_case("success")
        self.assertTrue(case["flaky"])
        totals = self.daemon.status()["totals"]
        self.assertEqual((totals["success"], totals["flaky"]), (1, 1))
        one, two = case["attempts"]
        self.assertEqual([(one["number"], one["state"]), (two["number"], two["state"])],
                         [(1, "failed"), (2, "success")])
        self.assertIn("dance", one["message"])
        self.assertEqual(one["roles"]["red"]["client"], first.id)
        self.assertEqual(two["roles"]["red"]["client"], second.id)
        self.assertEqual(case["roles"]["red"]["client"], second.id)
        self.assertLessEqual(one["ended"], two["started"])

    def test_success_at_once_is_not(self):
        self.start(solo(), config=TWICE)
        self.dance()
        case = self.daemon.wait_case("success")
        self.assertNotIn("flaky", case)
        self.assertNotIn("attempts", case)
        self.assertEqual(self.daemon.status()["totals"]["flaky"], 0)

    def test_the_last_attempt_is_the_outcome(self):
        self.start(solo(), config=TWICE)
        self.dance("failed")
        self.dance("error")
        case = self.assertOutcome("error")
        self.assertEqual([one["state"] for one in case["attempts"]], ["failed", "error"])
        self.assertEqual(self.daemon.status()["totals"]["flaky"], 0)
        self.assertTrue(self.daemon.status()["server"]["done"])

    def test_the_definition_says_how_often(self):
        self.start(solo("Never", retries=0), solo("Often", retries=3), config=TWICE)
        for _ in range(5):
            self.dance("failed")
        self.assertTrue(self.daemon.status()["server"]["done"])
        never, often = self.daemon.cases()
        self.assertNotIn("attempts", never)
        self.assertEqual(len(often["attempts"]), 4)

    def test_each_attempt_has_values_of_its_own(self):
        said = "${case.attempt} ${red.localpart}"
        self.start(definition("Values", {"stage": state(red=does(
            "show", {"shown": "complete"}, data={"text": said}))}), config=TWICE)
        texts = [self.client().act("show", response)["data"]["text"].split()
                 for response in ("failed", "shown")]
        self.assertEqual([text[0] for text in texts], ["1", "2"])
        self.assertNotEqual(texts[0][1], texts[1][1])

    def test_a_client_that_waits_plays_the_next_attempt_at_once(self):
        self.start(solo(), config=TWICE)
        clients = [self.client(), self.client()]
        clients[0].act("dance", "failed")
        clients[1].act("dance", "danced")
        self.assertOutcome("success")

    def test_a_step_that_takes_too_long(self):
        self.start(solo(), config={"tests": {"retries": 1}, "timeouts": {"step": "200ms"}})
        self.client().expect("dance")
        self.daemon.wait_for_log("it is tried again")
        self.dance()
        case = self.assertOutcome("success")
        self.assertEqual(case["attempts"][0]["state"], "error")

    def test_who_cancels_means_it(self):
        self.start(solo(), config=TWICE)
        self.client().expect("dance")
        path = f"/runs/{self.daemon.status()['run']['id']}/cancel"
        self.assertTaken(request(self.daemon.url, "POST", path))
        self.assertOutcome("error", "cancelled")

    def test_nobody_comes_for_another_attempt(self):
        self.start(solo(), config={"tests": {"retries": 1},
                                   "timeouts": {"unfilled": "300ms"}})
        self.dance("failed")
        wait_until(lambda: self.daemon.status()["server"]["done"], what="the end of the run")
        case = self.daemon.case()
        self.assertEqual(case["state"], "failed", "its outcome is that of its last attempt")
        self.assertEqual(list(case["roles"]), ["red"])
        self.assertEqual(junit_outcome(self.daemon.junit()).kind, "failure")

    def test_new_servers_for_each_attempt(self):
        homerunner = self.homerunner()
        self.start(solo(servers={"type": "made", "names": ["server"]}), config={
            "tests": {"retries": 1}, "homerunner": {"url": homerunner.url},
            "server-type made": {"images": "synapse"}})
        self.dance("failed")
        self.dance()
        case = self.assertOutcome("success")
        one, two = (attempt["servers"][0]["cs_api"] for attempt in case["attempts"])
        self.assertNotEqual(one, two)


class UnfilledTest(ServerTest):
    def test_a_case_that_nobody_fills_ends(self):
        self.start(duet(), config={"timeouts": {"unfilled": "300ms"}})
        red = self.client()
        case = self.assertOutcome("error")
        self.assertIn("300ms", case["message"])
        self.assertTrue(self.daemon.status()["server"]["done"])
        self.assertEqual(red.poll(wait=0)["action"], "idle")  # for the next run

    def test_the_time_begins_with_the_run(self):
        self.start(solo("Solo"), config={"timeouts": {"unfilled": "1500ms"}})
        dancer = self.client()
        dancer.expect("dance")
        answer = request(self.daemon.url, "POST", "/runs", {}).json
        path = f"/runs/{answer['id']}/status.json"
        wait_until(lambda: self.daemon.status()["totals"]["running"] == 1)
        dancer.report("danced")
        wait_until(lambda: self.daemon.get(path).json["totals"]["error"] == 1, 10,
                   "the end of the case that nobody fills")
        run = self.daemon.get(path).json
        self.assertEqual(run["run"]["state"], "ended")


class ReportTest(RetryTest):
    def test_a_flaky_case_in_junit(self):
        self.start(solo(), config={"tests": {"retries": 2}})
        self.dance("failed", why="the floor was wet")
        self.dance("error")
        self.dance()
        self.assertOutcome("success")
        root = self.daemon.junit()
        self.assertEqual((root.get("failures"), root.get("errors"), root.get("tests")),
                         ("0", "0", "1"))
        case, = root.iter("testcase")
        failure, error = case.find("flakyFailure"), case.find("flakyError")
        for number, element in ((1, failure), (2, error)):
            self.assertIn(f"attempt {number}", element.find("stackTrace").text)
            self.assertIn("dance", element.get("message"))
            self.assertIn("is played by", element.find("system-out").text)
        self.assertIn("failed", failure.find("system-out").text)
        self.assertIn("complete", case.find("system-out").text)
        self.assertIsNone(case.find("rerunFailure"))

    def test_a_failed_case_in_junit(self):
        self.start(solo(), config=TWICE)
        self.dance("failed")
        self.dance("failed")
        self.assertOutcome("failure")
        root = self.daemon.junit()
        self.assertEqual(root.get("failures"), "1")
        case, = root.iter("testcase")
        self.assertEqual(len(case.findall("failure")), 1)
        self.assertIn("attempt 1", case.find("rerunFailure/stackTrace").text)
        self.assertIsNone(case.find("flakyFailure"))

    def test_between_attempts_it_is_skipped(self):
        self.start(solo(), config=TWICE)
        self.dance("failed")
        root = self.daemon.junit()
        self.assertEqual(junit_outcome(root).kind, "skipped")
        self.assertIsNotNone(self.junit_case().find("rerunFailure"))

    def test_transcripts_and_files_are_of_their_attempt(self):
        self.start(solo(), config=TWICE)
        names = []
        for number, response in ((1, "failed"), (2, "danced")):
            client = self.client()
            client.expect("dance")
            self.assertTaken(upload(client, b"attempt %d" % number, "log.txt"))
            if number == 1:
                self.assertTaken(upload(client, b"only here", "first.txt"))
            client.report(response)
            names.append(client.id)
        self.assertOutcome("success")
        case = self.case_json()
        one, two = case["attempts"]
        self.assertEqual(sorted(one["files"]), ["red_first.txt", "red_log.txt"])
        self.assertEqual((two["files"], case["files"]), (["red_log.txt"],) * 2)
        for attempt, mine, other in ((one, *names), (two, *names[::-1])):
            text = " ".join(line["text"] for line in attempt["transcript"])
            self.assertIn(mine, text)
            self.assertNotIn(other, text)
        path = f"/status/{case['id']}/files/red_"
        for query, content in (("log.txt", b"attempt 2"), ("log.txt?attempt=1", b"attempt 1"),
                               ("log.txt?attempt=2", b"attempt 2"),
                               ("first.txt", b"only here"),
                               ("first.txt?attempt=1", b"only here")):
            self.assertEqual(self.daemon.get(path + query).body, content, query)
        for query in ("first.txt?attempt=2", "log.txt?attempt=3", "log.txt?attempt=0",
                      "log.txt?attempt=x", "log.txt?attempt="):
            self.assertProblem(self.daemon.get(path + query), 404)
        text = self.junit_case().find("flakyFailure/system-out").text
        self.assertIn(f"{path}log.txt?attempt=1", text)

    def test_a_late_file_is_of_its_attempt(self):
        self.start(solo(), config=TWICE)
        first = self.dance("failed")
        self.dance()
        self.assertOutcome("success")
        self.assertTaken(upload(first, b"a film", "film.mp4"))
        one, two = self.daemon.case()["attempts"]
        self.assertEqual((one["files"], two["files"]), (["red_film.mp4"], []))


class OnceTest(RetryTest):
    def setUp(self):
        super().setUp()
        self.write_definition(solo())

    def once(self, expect, *responses):
        daemon = self.start(config=TWICE, options=["--once"], expect=expect)
        for response in responses:
            self.dance(response).expect_exit()
        self.assertEqual(daemon.wait(20), expect)

    def test_flaky_is_success(self):
        self.once(0, "failed", "danced")

    def test_failed_in_the_end(self):
        self.once(1, "failed", "failed")

    def test_what_was_before_does_not_count(self):
        self.once(1, "failed", "failed")
        self.once(0, "danced")

    def test_every_run_counts(self):
        for expect, responses in ((1, ("failed", "danced")), (1, ("danced", "failed")),
                                  (0, ("danced", "danced"))):
            with self.subTest(responses):
                config = {"timeouts": {"active-client": "50ms"}, "server": {
                    "state-dir": self.folder / "-".join(responses)}}
                daemon = self.start(config=config, options=["--once"], expect=expect)
                clients = [self.client(), self.client()]
                request(daemon.url, "POST", "/runs", {})
                for client, response in zip(clients, responses):
                    client.act("dance", response)
                    client.expect_exit()
                self.assertEqual(daemon.wait(20), expect)


if __name__ == "__main__":
    unittest.main()
