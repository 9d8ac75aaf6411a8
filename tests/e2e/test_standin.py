# SPDX-License-Identifier: Apache-2.0
"""The tests' own tools: the stand-in for homerunner, and the schema of junit.xml."""
import http.client
import json
import subprocess
import sys
import time
import unittest

from harness import (HERE, ElementTree, Homerunner, check_junit, connection, exchange,
                     junit_outcome, junit_sums, later, request, settings_text, together,
                     validate_junit, wait_until)

LATE = 0.2


def blueprint(name="run-1", servers=("hs1",)):
    return {"base_image_uri": "complement-synapse", "blueprint": {
        "Name": name, "Homeservers": [
            {"Name": server, "Users": [], "Rooms": [], "BaseImageURI": "complement-synapse"}
            for server in servers]}}


class HomerunnerTest(unittest.TestCase):
    def stand_in(self, *arguments, **more):
        made = Homerunner(*arguments, **more)
        self.addCleanup(made.close)
        return made

    def create(self, homerunner, name="run-1", **more):
        return request(homerunner.url, "POST", "/create", blueprint(name, **more))

    def destroy(self, homerunner, name="run-1"):
        return request(homerunner.url, "POST", "/destroy", {"blueprint_name": name})

    def test_creates_and_destroys(self):
        homerunner = self.stand_in()
        answer = self.create(homerunner, servers=("hs1", "hs2"))
        self.assertEqual(answer.status, 200)
        self.assertEqual(set(answer.json["homeservers"]), {"hs1", "hs2"})
        self.assertRegex(answer.json["homeservers"]["hs1"]["BaseURL"], "^http://localhost:")
        self.assertIn("expires", answer.json)
        self.assertEqual(list(homerunner.deployments), ["run-1"])
        answer = self.destroy(homerunner)
        self.assertEqual((answer.status, answer.json), (200, {}))
        self.assertEqual(homerunner.deployments, {})
        self.assertEqual((homerunner.created, homerunner.destroyed), (["run-1"], ["run-1"]))
        self.assertEqual(homerunner.violations, [])

    def test_one_that_comes_back_has_what_it_had(self):
        homerunner = self.stand_in()
        self.create(homerunner)
        homerunner.close()
        with self.assertRaises(OSError):
            self.create(homerunner, "run-2")
        homerunner.come_back()
        self.assertEqual(self.destroy(homerunner).status, 200)
        self.assertEqual(homerunner.violations, [])

    def test_one_beside_knows_the_names(self):
        homerunner = self.stand_in()
        other = self.stand_in(beside=homerunner)
        self.create(homerunner)
        self.assertEqual(self.destroy(other).status, 500)
        self.assertEqual(other.violations, [])
        self.destroy(other, "run-2")
        self.assertEqual(len(other.violations), 1)

    def test_health(self):
        self.assertEqual(request(self.stand_in().url, "GET", "/health").status, 200)

    def test_a_name_can_be_used_once_only(self):
        homerunner = self.stand_in("slow", delay=LATE)
        self.create(homerunner)
        self.destroy(homerunner)
        begun = time.monotonic()
        answer = self.create(homerunner)
        self.assertGreaterEqual(time.monotonic() - begun, LATE)
        self.assertEqual(answer.status, 500)
        self.assertIn("exists already", answer.json["message"])
        self.assertEqual(len(homerunner.violations), 1)

    def test_refuses_a_wrong_blueprint(self):
        homerunner = self.stand_in()
        good = blueprint()
        for spoil in (lambda b: b.pop("base_image_uri"),
                      lambda b: b.pop("blueprint"),
                      lambda b: b.update(more=1),
                      lambda b: b["blueprint"].update(Name=""),
                      lambda b: b["blueprint"].update(Name="a/b c"),
                      lambda b: b["blueprint"].update(Homeservers=[]),
                      lambda b: b["blueprint"].update(Homeservers={}),
                      lambda b: b["blueprint"]["Homeservers"].append(
                          b["blueprint"]["Homeservers"][0]),
                      lambda b: b["blueprint"]["Homeservers"][0].pop("Users"),
                      lambda b: b["blueprint"]["Homeservers"][0].pop("BaseImageURI")):
            body = json.loads(json.dumps(good))
            spoil(body)
            known = len(homerunner.violations)
            answer = request(homerunner.url, "POST", "/create", body)
            self.assertEqual(answer.status, 400, body)
            self.assertGreater(len(homerunner.violations), known, body)
        for body in (b"", b"{", b"[]", b"null"):
            self.assertEqual(request(homerunner.url, "POST", "/create", body).status, 400)
        self.assertEqual(homerunner.deployments, {})

    def test_destroying_what_is_not_there_is_an_error(self):
        homerunner = self.stand_in()
        answer = self.destroy(homerunner, "nobody")
        self.assertEqual(answer.status, 500)
        self.assertIn("nobody", answer.json["message"])
        self.assertEqual(len(homerunner.violations), 1)

    def test_counts_what_exists_at_once(self):
        homerunner = self.stand_in("slow", delay=LATE)
        begun = time.monotonic()
        together(*[lambda n=n: self.create(homerunner, f"run-{n}") for n in range(10)])
        self.assertLess(time.monotonic() - begun, 5 * LATE)
        self.assertEqual(homerunner.most_at_once, 10)
        self.destroy(homerunner, "run-3")
        self.create(homerunner, "run-11")
        self.assertEqual(homerunner.most_at_once, 10)
        self.assertEqual(len(homerunner.deployments), 10)

    def test_failing_modes_leave_nothing(self):
        for mode, status, words in (("fail", 400, "no such image"),
                                    ("error500", 500, "lunch"),
                                    ("late-error", 500, "lunch")):
            homerunner = self.stand_in(mode, delay=LATE)
            answer = self.create(homerunner)
            self.assertEqual(answer.status, status)
            self.assertIn(words, answer.json["message"])
            self.assertEqual(homerunner.deployments, {})

    def test_garbage_is_no_json(self):
        homerunner = self.stand_in("garbage")
        answer = self.create(homerunner)
        self.assertEqual(answer.status, 200)
        self.assertRaises(ValueError, lambda: answer.json)
        self.assertEqual(list(homerunner.deployments), ["run-1"])

    def test_half_a_body(self):
        self.assertRaises(http.client.IncompleteRead, self.create, self.stand_in("half"))

    def test_silent_until_it_is_closed(self):
        homerunner = self.stand_in("silent")
        asked = later(self.create, homerunner)
        wait_until(lambda: homerunner.creating == 1)
        self.assertFalse(asked.done())
        homerunner.close()
        self.assertRaises((http.client.HTTPException, OSError), asked.result, 5)

    def test_lies(self):
        homerunner = self.stand_in("lying-server,lying-url")
        self.assertNotIn("hs1", self.create(homerunner, "a").json["homeservers"])
        reply = self.create(homerunner, "b").json["homeservers"]
        self.assertNotIn("://", reply["hs1"]["BaseURL"])
        self.assertEqual(sorted(homerunner.deployments), ["a", "b"])

    def test_a_mode_for_each_create(self):
        homerunner = self.stand_in("fail,good")
        statuses = [self.create(homerunner, name).status for name in ("a", "b", "c")]
        self.assertEqual(statuses, [400, 200, 200])

    def test_takes_chunks_and_keeps_the_connection(self):
        homerunner = self.stand_in()
        link = connection(homerunner.url)
        self.addCleanup(link.close)
        for name in ("a", "b"):
            body = json.dumps(blueprint(name)).encode()
            link.request("POST", "/create", iter([body[:7], body[7:]]),
                         {"Transfer-Encoding": "chunked"}, encode_chunked=True)
            reply = link.getresponse()
            reply.read()
            self.assertEqual(reply.status, 200)
        self.assertEqual(exchange(link, "GET", "/health").status, 200)

    def test_by_hand_it_stops_by_itself(self):
        process = subprocess.Popen(
            [sys.executable, str(HERE / "homerunner_standin.py"), "--port", "0", "--mode",
             "good", "--lifetime", "0.5"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        url = process.stdout.readline().strip()
        self.assertEqual(request(url, "GET", "/health").status, 200)
        self.assertEqual(process.wait(10), 0)


GOOD = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="trafficlight" tests="4" failures="1" errors="1" time="3.500">
<testsuite name="chat.VerifyClient" id="6ba7b810-9dad-11d1-80b4-00c04fd430c8"
 hostname="box" timestamp="2026-11-22T20:17:00" tests="4" failures="1" errors="1"
 skipped="1" time="3.500">
<testcase classname="chat.VerifyClient" name="red=a green=a" time="1.250"/>
<testcase classname="chat.VerifyClient" name="red=a green=b" time="2.250">
<failure type="failed" message="red reported failed">red reported failed at x</failure>
<system-out>20:17:01 red &#8238; login</system-out><system-err>oh</system-err></testcase>
<testcase classname="chat.VerifyClient" name="red=b green=a" time="0.000">
<error type="timeout" message="no answer">red said nothing</error></testcase>
<testcase classname="chat.VerifyClient" name="red=b green=b" time="0.000">
<skipped message="waiting for b"/></testcase>
</testsuite>
</testsuites>
"""


class SchemaTest(unittest.TestCase):
    def test_takes_good_documents(self):
        self.assertIsNone(validate_junit(GOOD.encode()))
        empty = b'<testsuites tests="0" failures="0" errors="0" time="0.000"/>'
        self.assertIsNone(validate_junit(empty))

    def test_takes_long_text(self):
        long = GOOD.replace("red said nothing", "so long " * 20000)
        self.assertIsNone(validate_junit(long.encode()))

    def test_refuses_bad_documents(self):
        for name, old, new in (
                ("skipped on the root", 'errors="1" time="3.500">\n<testsuite ',
                 'errors="1" skipped="1" time="3.500">\n<testsuite '),
                ("two decimals", 'time="1.250"', 'time="1.25"'),
                ("no decimals", 'time="1.250"', 'time="1"'),
                ("negative time", 'time="1.250"', 'time="-1.250"'),
                ("a comma", 'time="1.250"', 'time="1,250"'),
                ("a zone", "20:17:00", "20:17:00Z"),
                ("an offset", "20:17:00", "20:17:00+01:00"),
                ("no such hour", "20:17:00", "25:17:00"),
                ("a date only", "2026-11-22T20:17:00", "2026-11-22"),
                ("no hostname", 'hostname="box"', ""),
                ("empty hostname", 'hostname="box"', 'hostname=""'),
                ("no id", 'id="6ba7b810-9dad-11d1-80b4-00c04fd430c8"', ""),
                ("no classname", 'classname="chat.VerifyClient" name="red=a green=a"',
                 'name="red=a green=a"'),
                ("no name", ' name="red=a green=a"', ""),
                ("a count that is none", 'tests="4" failures="1" errors="1"\n',
                 'tests="four" failures="1" errors="1"\n'),
                ("a failure without text", "red reported failed at x", ""),
                ("a failure of white space", "red reported failed at x", " \n "),
                ("an error without text", "red said nothing", ""),
                ("a failure without type", '<failure type="failed"', "<failure"),
                ("a failure without message", ' message="red reported failed"', ""),
                ("skipped without message", ' message="waiting for b"', ""),
                ("properties in a case", "<skipped ", "<properties/><skipped "),
                ("output before the problem", "<skipped ", "<system-out/><skipped "),
                ("err before out", "<skipped message=\"waiting for b\"/>",
                 "<system-err/><system-out/>"),
                ("two cases of one name", "red=a green=b", "red=a green=a"),
                ("an unknown element", "<skipped ", "<flaky/><skipped "),
                ("an unknown attribute", '<testcase ', '<testcase colour="red" '),
                ("a suite without cases", GOOD[GOOD.index("<testcase"):
                                               GOOD.index("</testsuite>")], "")):
            with self.subTest(name):
                self.assertIn(old, GOOD)
                self.assertIsNotNone(validate_junit(GOOD.replace(old, new, 1).encode()))

    def test_refuses_what_is_not_well_formed(self):
        for text in ("\x1b[31m", "\x00", "&#0;", "<", "\udc80"):
            bad = GOOD.replace("red said nothing", text).encode("utf-8", "surrogateescape")
            self.assertIsNotNone(validate_junit(bad), text)

    def test_counts_are_compared(self):
        self.assertEqual(junit_sums(ElementTree.fromstring(GOOD)), [])
        for old, new in (('skipped="1"', 'skipped="0"'), ('tests="4"', 'tests="5"'),
                         ('failures="1"', 'failures="0"'), ('errors="1"', 'errors="2"')):
            bad = GOOD.replace(old, new, 1)
            self.assertTrue(junit_sums(ElementTree.fromstring(bad)), old)
            self.assertRaises(AssertionError, check_junit, bad.encode())

    def test_outcomes(self):
        root = check_junit(GOOD.encode())
        kinds = [junit_outcome(root, f"red={a} green={b}").kind for a in "ab" for b in "ab"]
        self.assertEqual(kinds, ["success", "failure", "error", "skipped"])
        self.assertIn("20:17:01", junit_outcome(root, "red=a green=b").transcript)


class SettingsTest(unittest.TestCase):
    def test_lists_and_left_out_keys(self):
        text = settings_text({"a": {"x": 1, "y": [2, 3], "z": None}, "b c": {}})
        self.assertEqual(text, "[a]\nx = 1\ny = 2\ny = 3\n[b c]\n")


if __name__ == "__main__":
    unittest.main()
