# SPDX-License-Identifier: Apache-2.0
"""The board and the history as they are asked for: filters, order, parts, the matrix, clients,
and how long a run still takes; from the running engine, and from what is kept."""
import html.parser
import unittest
import urllib.parse

from harness import ServerTest, duet, request, solo, wait_until

HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' or 1=1 --",
           "\u202egnp.exe", "\x1b[31m", "%s%n", "a&b=c#d", "\N{COLLISION SYMBOL}", "x" * 1000]


class Page(html.parser.HTMLParser):
    """What a page has: its rows, lamps, links and words."""

    def __init__(self, text):
        super().__init__()
        self.source = text
        self.ids, self.links, self.words, self.tags = [], [], [], []
        self.outcomes = []
        self.chosen = {}  # field -> value that stands in the form
        self._select = None
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.tags.append(tag)
        if "id" in said:
            self.ids.append(said["id"])
        if tag == "a":
            self.links.append(said.get("href"))
        if "outcome" in said.get("class", "").split():
            self.outcomes.append(said["aria-label"])
        if tag == "select":
            self._select = said["name"]
        if tag == "option" and "selected" in said:
            self.chosen[self._select] = said["value"]
        if tag == "input":
            self.chosen[said["name"]] = said["value"]

    def handle_data(self, data):
        self.words.append(data)

    def rows(self, kind):
        return [name[len(kind) + 1:] for name in self.ids if name.startswith(kind + "-")]


class BoardTest(ServerTest):
    def page(self, path, **asked):
        query = "?" + urllib.parse.urlencode(asked) if asked else ""
        answer = self.daemon.get(path + query)
        self.assertEqual(answer.status, 200, answer.body[:500])
        self.assertIn("text/html", answer.headers["Content-Type"])
        page = Page(answer.body.decode())
        self.assertEqual(len(page.ids), len(set(page.ids)), "ids are given once")
        return page

    def follow(self, path, page, text):
        """The page that a link of this text leads to."""
        found = page.source.rpartition(f">{text}</a>")[0].rpartition("href=\"")[2]
        link = found.partition("\"")[0].replace("&amp;", "&")
        self.assertTrue(link.startswith("?"), link)
        answer = self.daemon.get(path + link)
        self.assertEqual(answer.status, 200)
        return Page(answer.body.decode())

    def ids(self, *states):
        return [case["id"] for case in self.daemon.cases()
                if not states or case["state"] in states]


class FilterTest(BoardTest):
    """A board with cases in several states."""

    def setUp(self):
        super().setUp()
        self.start(solo(), solo("Other", ["element-web", "element-ios"]),
                   duet("Fails", "element-android", "element-android"))
        red, green = self.pair("element-android", "element-android")
        red.expect("dance")
        red.report("failed", error="fell over")
        self.solo = self.client(version="1.2.3")
        self.daemon.wait_case("running")
        self.done = green

    def test_every_filter(self):
        everything, failed = self.ids(), self.ids("failed", "error")
        self.assertEqual(len(failed), 1)
        for asked, wanted in (({}, everything), ({"state": "bad"}, failed),
                              ({"state": "running"}, self.ids("running")),
                              ({"test": "e2e.Fails"}, failed),
                              ({"client": "element-android"}, failed),
                              ({"client": "element-ios", "state": "waiting"}, everything[2:3]),
                              ({"q": "e2e.solo ELEMENT-WEB"}, everything[:1]),
                              ({"q": "nothing like it"}, [])):
            with self.subTest(asked=asked):
                page = self.page("/status", **asked)
                self.assertEqual(page.rows("case"), wanted)
                self.assertIn("of 4 cases done", page.text)
                for name, value in asked.items():
                    self.assertEqual(page.chosen[name], value)

    def test_order(self):
        self.assertEqual(self.page("/status", sort="state").rows("case")[0],
                         self.ids("running")[0])
        self.assertEqual(sorted(self.page("/status", sort="start").rows("case")),
                         sorted(self.ids()))

    def test_links_keep_what_was_asked(self):
        page = self.page("/status", q="element", client="element-web")
        matrix = self.follow("/status", page, "Matrix")
        self.assertEqual((matrix.chosen["q"], matrix.chosen["client"]),
                         ("element", "element-web"))
        self.assertEqual(len(matrix.outcomes), 2)
        cleared = self.follow("/status", page, "Clear")
        self.assertEqual(cleared.rows("case"), self.ids())

    def test_matrix(self):
        page = self.page("/status", view="matrix")
        self.assertEqual(len(page.outcomes), 4)
        self.assertEqual(sorted(page.rows("lamp")), sorted(self.ids()))
        self.assertIn("running: e2e.Solo, red=element-web", page.outcomes)
        self.assertIn("element-android ×2", page.text)
        for case in self.ids():
            self.assertIn(f"/status/{case}/status", page.links)

    def test_clients(self):
        page = self.page("/status", view="clients")
        self.assertEqual(sorted(page.rows("client")),
                         sorted(client["id"] for client in self.daemon.status()["clients"]))
        self.assertIn("1.2.3", page.text)
        self.assertIn("e2e.Solo as red : dance", page.text)
        waiting = self.page("/status", view="clients", state="playing")
        self.assertEqual(waiting.rows("client"), [self.solo.id])

    def test_reasons(self):
        page = self.page("/status")
        self.assertIn("What broke, what waits", page.text)
        self.assertIn("Fails : red reported that dance failed", page.text)
        self.assertNotIn("What broke", self.page("/status", state="bad").text)

    def test_the_page_of_a_run_and_of_a_test(self):
        status = self.daemon.status()
        run, suite = status["run"]["id"], status["suites"][1]
        self.assertEqual(self.page(f"/runs/{run}/status", state="bad").rows("case"),
                         self.ids("failed", "error"))
        page = self.page(f"/status/{suite['id']}/suitestatus", client="element-ios")
        self.assertEqual(page.rows("case"), [suite["cases"][1]["id"]])

    def test_what_nobody_understands(self):
        page = self.page("/status", view="film", state="sad", sort="colour", page="last",
                         what="ever")
        self.assertEqual(page.rows("case"), self.ids())
        for word in ("film", "sad", "colour", "what"):
            self.assertIn(word, page.text)
        for query in ("?", "?&&&", "?=x", "?page", "?page=-1", "?page=1e9", "?q=%", "?q=%zz",
                      "?q=%ff%fe", "?state=failed&state=error"):
            with self.subTest(query=query):
                self.assertEqual(self.daemon.get("/status" + query).status, 200)

    def test_hostile_requests(self):
        for text in HOSTILE:
            with self.subTest(text=text[:20]):
                asked = dict.fromkeys(("state", "test", "client", "q", "sort", "page"), text)
                for path, view in (("/status", "list"), ("/status", "matrix"),
                                   ("/status", "clients"), ("/history", "list")):
                    page = self.page(path, **asked, view=view, **{text[:99]: text})
                    self.assertEqual(page.tags.count("script"), 1)  # ours
                    self.assertNotIn("img", page.tags)
                    self.assertNotIn("\u202e", page.source)
                    self.assertNotIn("\x1b", page.source)


class LongTest(BoardTest):
    """More cases than one step gathers and one page shows."""

    def setUp(self):
        super().setUp()
        self.start(solo(), solo("Last", "element-ios"), config={"tests": {"repeat": 250}})

    def test_parts(self):
        everything, seen = self.ids(), []
        self.assertEqual(len(everything), 500)
        page = self.page("/status")
        for number in (1, 2, 3):
            self.assertIn(f"Page {number} of 3", page.text)
            seen += page.rows("case")
            page = self.follow("/status", page, "Next ›") if number < 3 else page
        self.assertEqual(seen, everything)
        self.assertEqual(self.page("/status", page="99").rows("case"), everything[400:])

    def test_the_filter_comes_first(self):
        self.client("element-ios").expect("dance")
        page = self.page("/status", state="running", page="3")
        self.assertEqual(page.rows("case"), self.ids("running"))
        self.assertIn("1 case that fit, of 500", page.text)

    def test_matrix_of_repeats(self):
        page = self.page("/status", view="matrix")
        self.assertIn("○ 250 waiting", page.text)
        self.assertEqual(page.outcomes, [])
        link = next(link for link in page.links if "state=waiting" in link and "test=" in link)
        answer = self.daemon.get("/status" + link)
        self.assertIn("1 to 200 of 250 cases", Page(answer.body.decode()).text)

    def test_lacking_clients_are_told(self):
        self.client("element-web")
        page = self.page("/status")
        self.assertIn("250 cases lack clients", page.text)
        self.assertIn("250 cases : red needs element-ios: 0 free of 0", page.text)


class HistoryTest(BoardTest):
    def ask_for_run(self):
        """Another run; gives its id."""
        answer = request(self.daemon.url, "POST", "/runs", {})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json["id"]

    def play_run(self, cases):
        """A whole run in which all answer at once; gives its id."""
        run = self.ask_for_run()
        for _ in range(cases):
            self.client().act("dance", "danced")
        wait_until(lambda: self.daemon.get(f"/runs/{run}/status.json").json["run"]["state"]
                   == "ended", 10, "the end of the run")
        return run

    def test_expected(self):
        self.start(solo(), config={"tests": {"autostart": "no", "repeat": 2}})
        self.play_run(2)
        self.ask_for_run()
        wait_until(lambda: [type(case.get("expected")) for case in self.daemon.cases()]
                   == [float, float], 10, "what the history expects")
        client = self.client()
        client.expect("dance")
        wait_until(lambda: "less than a minute left" in self.page("/status").text, 10,
                   "the time left")
        client.report("danced")
        ended = self.daemon.wait_case("success")
        self.assertNotIn("expected", ended)

    def test_history(self):
        self.start(solo(), solo("Other"), config={"tests": {"autostart": "no"}})
        first = self.play_run(2)
        self.play_run(2)
        wait_until(lambda: len(self.page("/history").outcomes) == 4, 10, "four outcomes")
        page = self.page("/history", test="e2e.Other")
        self.assertEqual(len(page.outcomes), 2)
        self.assertIn("svg", page.tags)
        self.assertIn("the latest 2 took from", page.source)
        self.assertEqual(self.page("/history", state="bad").outcomes, [])
        # An earlier run is written by the same hand, whoever has it now.
        kept = self.page(f"/runs/{first}/status", q="other", sort="name")
        self.assertEqual(len(kept.rows("case")), 1)


if __name__ == "__main__":
    unittest.main()
