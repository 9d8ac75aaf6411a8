# SPDX-License-Identifier: Apache-2.0
"""What people and tools see: status as HTML and JSON, JUnit, pictures; hostile texts."""
import html.parser
import json
import re
import unittest
import uuid

from harness import (ServerTest, check_junit, definition, does, duet, junit_outcome, raw_socket,
                     solo, state)

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NOBODY = str(uuid.UUID(int=7))

HOSTILE = {
    "terminal colours": "\x1b[31mred alert\x1b[0m",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "markup": "<hostile onload='x'>&amp;</hostile>",
    "end of CDATA": "]]> <![CDATA[ ]]&gt;",
    "a way out of an attribute": "\" onmouseover=\"alert(1)\" x='",
    "a way out of the page": "</pre></td></table></script><hostile>",
    "from right to left": "\u202egnp.exe\u202c \u2066x\u2069",
    "noncharacters": "\ufffe\uffff \U0001f600 \U0010ffff",
    "a terminal's title": "\x1b]0;pwned\x07",
    "templates": "${red.password} $${x} %s %n {{7*7}}",
}
# Sent as JSON escapes, since they have no UTF-8.
ESCAPED = {
    "NUL": r"a\u0000b",
    "a lone surrogate": r"a\ud800b",
    "surrogates the wrong way round": r"\udc00\ud800",
}


class Tags(html.parser.HTMLParser):
    """The names of all tags and attributes of a page, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


class StatusTest(ServerTest):
    def get(self, path, content_type, status=200):
        answer = self.daemon.get(path)
        self.assertEqual(answer.status, status, path)
        self.assertTrue(answer.headers["Content-Type"].startswith(content_type),
                        answer.headers["Content-Type"])
        return answer.body

    def test_healthz(self):
        self.start(solo())
        self.assertEqual(self.daemon.get("/healthz").status, 200)

    def test_the_root_leads_to_the_status(self):
        self.start(solo())
        answer = self.daemon.get("/")
        self.assertEqual(answer.status, 302)
        self.assertRegex(answer.headers["Location"], r"/status/?$")

    def test_pages(self):
        self.start(solo("Waltz"))
        red = self.client()
        for path in ("/status", "/status/"):
            page = Tags(self.get(path, "text/html").decode())
            for word in ("Waltz", "red=element-web", red.id, "running"):
                self.assertIn(word, page.text)
        suite = self.daemon.status()["suites"][0]
        page = Tags(self.get(f"/status/{suite['id']}/suitestatus", "text/html").decode())
        self.assertIn("red=element-web", page.text)
        case = f"/status/{suite['cases'][0]['id']}"
        self.assertIn("dance", Tags(self.get(f"{case}/status", "text/html").decode()).text)
        self.assertEqual(json.loads(self.get(f"{case}/status.json", "application/json"))["id"],
                         suite["cases"][0]["id"])

    def test_status_json(self):
        self.start(duet("Waltz"), config={"tests": {"repeat": 2}})
        red, green = self.pair()
        red.expect("dance")
        status = json.loads(self.get("/status.json", "application/json"))
        server = status["server"]
        self.assertIs(server["done"], False)
        self.assertTrue(server["version"])
        for moment in (server["started"], server["now"]):
            self.assertRegex(moment, TIME)
        self.assertEqual(status["totals"], {"cases": 2, "waiting": 1, "preparing": 0,
                                            "running": 1, "success": 0, "failed": 0,
                                            "error": 0, "flaky": 0})
        suite, = status["suites"]
        self.assertEqual((suite["name"], suite["file"]), ("Waltz", "e2e/00_waltz_test.json"))
        uuid.UUID(suite["id"])
        case = suite["cases"][0]
        uuid.UUID(case["id"])
        self.assertEqual((case["name"], case["state"], case["machine"]),
                         ("red=element-web green=element-web", "running", "floor"))
        self.assertEqual(case["roles"]["red"], {"type": "element-web", "client": red.id,
                                                "action": "dance"})
        self.assertEqual(case["roles"]["green"]["client"], green.id)
        self.assertRegex(case["started"], TIME)
        self.assertIsNone(case["ended"])
        self.assertGreaterEqual(case["duration"], 0)
        self.assertEqual((case["servers"], case["files"]), ([], []))
        self.assertTrue(suite["cases"][1]["message"])
        clients = {client["id"]: client for client in status["clients"]}
        self.assertEqual({k: clients[red.id][k] for k in ("type", "state", "case", "role")},
                         {"type": "element-web", "state": "playing", "case": case["id"],
                          "role": "red"})
        self.assertEqual(clients[red.id]["registration"], {"type": "element-web"})
        for key in ("registered", "last_polled"):
            self.assertRegex(clients[red.id][key], TIME)
        self.assertIsNone(clients[red.id]["last_reported"])

    def test_status_json_at_the_end(self):
        self.start(solo())
        red = self.client()
        red.act("dance", "danced")
        case = self.daemon.wait_case("success")
        self.assertRegex(case["ended"], TIME)
        self.assertEqual(self.daemon.client(red.id)["state"], "done")
        status = self.daemon.status()
        self.assertIs(status["server"]["done"], True)
        self.assertEqual(status["totals"]["success"], 1)

    def test_pictures(self):
        self.start(duet())
        self.pair()
        case = self.daemon.case()["id"]
        for kind in ("statemachine", "context"):
            drawing = f"/status/{case}/{kind}"
            self.assertEqual(self.get(drawing + ".png", "image/png")[:4], b"\x89PNG")
            picture = self.get(drawing + ".svg", "image/svg+xml")
            self.assertIn(b"<svg", picture)
            self.assertIn(b"floor", picture)
            self.assertRegex(self.get(drawing + ".dot", "text/"), rb"digraph")
        self.assertIn(b"complete", self.get(f"/status/{case}/statemachine.svg", "image/svg"))

    def test_unknown_ids(self):
        self.start(solo())
        for name in (NOBODY, "nonsense", "%2e%2e", "a%00"):
            for page in ("suitestatus", "status", "status.json", "statemachine.png",
                         "statemachine.svg", "context.dot", "files/x"):
                with self.subTest(f"{name}/{page}"):
                    answer = self.daemon.get(f"/status/{name}/{page}")
                    self.assertIn(answer.status, (400, 404))
                    self.assertProblem(answer, answer.status)
        self.assertProblem(self.daemon.get(f"/status/{NOBODY}/status"), 404)

    def test_a_state_with_an_odd_name(self):
        odd = 'a "b" \\ <c> & [d] \u00e9'
        self.start(definition("Odd", {odd: state(red=does("dance", {"danced": "complete"}))}))
        if not self.daemon.status()["suites"]:
            self.daemon.wait_for_log("test.json")
            return  # such a name need not be taken
        case = self.daemon.case()["id"]
        self.assertEqual(self.get(f"/status/{case}/statemachine.png", "image/")[:4],
                         b"\x89PNG")


class LargeTest(ServerTest):
    """Documents that are gathered in several turns of the loop."""

    def test_a_run_of_many_cases(self):
        self.start(solo(), config={"tests": {"repeat": 1000}})
        for _ in range(150):
            self.client(type="other")
        red = self.client()
        red.act("dance", "danced")
        status = self.daemon.status()
        run = status["run"]["id"]
        self.assertEqual(status["totals"]["cases"], 1000)
        names = [case["name"] for case in status["suites"][0]["cases"]]
        self.assertEqual(len(set(names)), 1000)
        self.assertEqual(len(status["clients"]), 151)
        for path in ("/status", f"/runs/{run}/status"):
            page = self.daemon.get(path)
            self.assertEqual(page.status, 200)
            self.assertIn(b"of 1000 cases done", page.body)
        self.assertEqual(self.daemon.get(f"/runs/{run}/status.json").json["totals"],
                         self.daemon.status()["totals"])

    def test_who_leaves_before_it_is_there(self):
        self.start(solo(), config={"tests": {"repeat": 3000}})
        for _ in range(30):
            with raw_socket(self.daemon.url) as leaves:
                leaves.sendall(b"GET /status.json HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(self.daemon.status()["totals"]["cases"], 3000)


class JunitTest(ServerTest):
    def test_one_of_each(self):
        types = ["element-web", "element-android", "element-ios", "hydrogen-web", "phone"]
        self.start(solo("Waltz", types))
        for kind, response in zip(types, ("danced", "failed", "flew_away", None)):
            red = self.client(kind)
            red.expect("dance")
            if response:
                red.report(response)
        root = self.daemon.junit()
        kinds = [junit_outcome(root, f"red={kind}").kind for kind in types]
        self.assertEqual(kinds, ["success", "failure", "error", "error", "skipped"])
        suite, = root
        self.assertEqual([suite.get(key) for key in ("name", "tests", "failures", "errors",
                                                     "skipped")],
                         ["e2e.Waltz", "5", "1", "2", "1"])
        self.assertEqual({case.get("classname") for case in suite.iter("testcase")},
                         {"e2e.Waltz"})
        self.assertRegex(suite.find("testcase/skipped").get("message"), "^waiting for ")

    def test_the_transcript(self):
        self.start(solo())
        self.client().act("dance", "danced")
        transcript = junit_outcome(self.daemon.junit()).transcript
        for word in ("red", "dance", "danced"):
            self.assertRegex(transcript, rf"\b{word}\b")

    def test_names_stay_the_same_over_runs(self):
        def names():
            root = self.daemon.junit()
            return [(case.get("classname"), case.get("name"))
                    for case in root.iter("testcase")]

        self.start(duet(), solo(), config={"tests": {"repeat": 2}})
        before = names()
        self.daemon.stop()
        self.start(config={"tests": {"repeat": 2}})
        self.assertEqual(names(), before)
        self.assertEqual(len(set(before)), 4)

    def test_without_any_test(self):
        self.start()
        self.assertEqual(len(self.daemon.junit()), 0)


class HostileTest(ServerTest):
    def check_everything(self, *found):
        """All pages are sound; `found` is part of what the status says."""
        document = self.daemon.get("/status/junit.xml").body
        check_junit(document)
        for character in document.decode():
            self.assertTrue(character >= " " or character in "\t\n\r", repr(character))
        status = json.dumps(self.daemon.status(), ensure_ascii=False)
        for text in found:
            self.assertIn(json.dumps(text, ensure_ascii=False)[1:-1], status)
        suite = self.daemon.status()["suites"][0]
        case = suite["cases"][0]["id"]
        for path in ("/status", f"/status/{case}/status", f"/status/{suite['id']}/suitestatus"):
            page = Tags(self.daemon.get(path).body.decode())  # strict UTF-8
            self.assertNotIn("hostile", page.tags)
            self.assertFalse({"onload", "onmouseover"} & page.attributes)
            self.assertNotIn("\x1b", page.text)
        self.assertEqual(self.daemon.get(f"/status/{case}/statemachine.svg").status, 200)
        for line in self.daemon.log:
            self.assertNotIn("\x1b", line)

    def test_in_a_registration(self):
        self.start(solo())
        for name, text in HOSTILE.items():
            with self.subTest(name):
                self.client(type=text[:64], version=text, more={text: [text]})
        self.check_everything(*HOSTILE.values())

    def test_in_a_playing_clients_registration(self):
        self.start(solo())
        self.client(version=" ".join(HOSTILE.values())).act("dance", "failed")
        self.assertOutcome("failure")
        self.check_everything()

    def test_in_the_details_of_an_error(self):
        self.start(solo(), config={"tests": {"repeat": len(HOSTILE)}})
        for name, text in HOSTILE.items():
            with self.subTest(name):
                red = self.client()
                red.expect("dance")
                self.assertTaken(red.error("action", text, text))
        self.assertEqual(self.daemon.status()["totals"]["failed"], len(HOSTILE))
        self.check_everything()

    def test_in_the_name_of_a_response(self):
        self.start(solo(), config={"tests": {"repeat": len(HOSTILE)}})
        for name, text in HOSTILE.items():
            with self.subTest(name):
                self.client().act("dance", text)
        self.assertEqual(self.daemon.status()["totals"]["error"], len(HOSTILE))
        self.check_everything()

    def test_in_data_that_comes_back(self):
        self.start(definition("Echo", {
            "floor": state(red=does("dance", {"danced": "again"}, save="seen")),
            "again": state(red=does("show", {"shown": "complete"},
                                    data={"text": "${seen.text}"}))}),
            config={"tests": {"repeat": len(HOSTILE)}})
        for name, text in HOSTILE.items():
            with self.subTest(name):
                red = self.client()
                red.act("dance", "danced", text=text)
                self.assertEqual(red.act("show", "shown")["data"]["text"], text)
        self.check_everything()

    def test_escapes_that_have_no_utf_8(self):
        """Taken or refused, but nothing breaks."""
        self.start(solo(), config={"tests": {"repeat": 2 * len(ESCAPED)}})
        for name, text in ESCAPED.items():
            with self.subTest(name):
                red = self.client(register=False)
                body = f'{{"type": "element-web", "version": "{text}", "{text}": 1}}'
                self.assertIn(red.call("POST", "register", body).status, (200, 400))
                red = self.client()
                red.expect("dance")
                for verb, body in (
                        ("report", f'{{"response": "{text}"}}'),
                        ("error", f'{{"error": {{"type": "action", "details": "{text}"}}}}')):
                    answer = red.call("POST", verb, body)
                    self.assertIn(answer.status, (200, 400), answer.body)
                self.check_everything()

    def test_very_long_text(self):
        self.start(solo(), config={"tests": {"repeat": 2}})
        long = "long \U0001f600" * 15000
        red = self.client(version=long)
        red.expect("dance")
        self.assertTaken(red.error("action", long, long))
        self.assertOutcome("failure")
        self.client().act("dance", "x" * 100000)
        self.assertOutcome("error", index=1)
        self.check_everything()


if __name__ == "__main__":
    unittest.main()
