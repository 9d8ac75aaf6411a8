# SPDX-License-Identifier: Apache-2.0
"""The page of a case and problems, as browsers have them: buttons are forms that lead back to a
page, previews are safe, links lead somewhere, and what clients say stays text."""
import html.parser
import re
import unittest
import urllib.parse
import xml.etree.ElementTree as xml

from harness import (ServerTest, definition, does, duet, request, solo, state, wait_until)
from test_uploads import png, upload

HTML = {"Accept": "text/html,application/xhtml+xml"}
FORM = {**HTML, "Content-Type": "application/x-www-form-urlencoded"}
HOSTILE = "</text></svg><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m\U0001F600"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Page(html.parser.HTMLParser):
    """What a browser finds on a page: ids, links, forms, and elements."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.forms, self.elements = set(), [], [], []
        self.words = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        members = dict(attributes)
        self.elements.append((tag, members))
        if "id" in members:
            self.ids.add(members["id"])
        if tag == "a":
            self.links.append(members["href"])
        if tag == "form":
            self.forms.append({"action": members.get("action", ""), "fields": {}})
        if tag == "input":
            self.forms[-1]["fields"][members["name"]] = members.get("value", "")
        if tag == "button":
            self.forms[-1]["button"] = ""

    def handle_data(self, data):
        self.words.append(data)
        if self.forms and self.forms[-1].get("button") == "":
            self.forms[-1]["button"] = data

    def named(self, tag):
        return [members for name, members in self.elements if name == tag]


class CasePageTest(ServerTest):
    def address(self, page="status"):
        return f"/status/{self.daemon.case()['id']}/{page}"

    def page(self, path=None):
        answer = self.daemon.get(path or self.address(), headers=HTML)
        self.assertEqual(answer.status, 200, answer.body)
        self.policy(answer)
        return Page(answer.body.decode())

    def policy(self, answer):
        policy = answer.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)

    def press(self, button, where=None, headers=None):
        """Post the form of a button, as a browser does."""
        here = where or self.address()
        page = self.page(here)
        wanted = next(one for one in page.forms if one["button"] == button)
        return request(self.daemon.url, "POST", urllib.parse.urljoin(here, wanted["action"]),
                       urllib.parse.urlencode(wanted["fields"]).encode(),
                       {**FORM, "Origin": self.daemon.url, **(headers or {})})

    def buttons(self):
        return [form["button"] for form in self.page().forms]

    def played(self, response="danced"):
        self.client().act("dance", response)
        self.daemon.wait_case("success", "failed")

    # --- buttons

    def test_a_case_is_cancelled(self):
        self.start(solo())
        self.client().expect("dance")
        answer = self.press("Cancel this case")
        self.assertEqual((answer.status, answer.headers["Location"]),
                         (303, self.address()))
        self.assertEqual(self.daemon.case()["state"], "error")
        self.assertIn("cancelled", self.daemon.case()["message"])
        self.assertNotIn("Cancel this case", self.buttons())

    def test_a_run_is_cancelled(self):
        self.start(solo())
        run = self.daemon.status()["run"]["id"]
        answer = self.press("Cancel the whole run")
        self.assertEqual((answer.status, answer.headers["Location"]),
                         (303, f"/runs/{run}/status"))
        self.page(answer.headers["Location"])
        self.assertEqual(self.daemon.case()["state"], "error")

    def test_one_case_is_run_again(self):
        self.start(definition("Two", {"floor": state(red=does("dance", {"danced": "complete"}))},
                              {"red": ["element-web", "element-android"]}), solo("Other"))
        self.played()
        before = self.daemon.status()["run"]["id"]
        self.press("Cancel the whole run", f"/status/{self.daemon.cases()[1]['id']}/status")
        answer = self.press("Run this case again")
        self.assertEqual(answer.status, 303, answer.body)
        status = wait_until(lambda: (now := self.daemon.status())["run"]["id"] != before and now)
        self.assertEqual(answer.headers["Location"], f"/runs/{status['run']['id']}/status")
        self.assertEqual([case["name"] for suite in status["suites"]
                          for case in suite["cases"]], ["red=element-web"])

    def test_a_whole_test_is_run_again(self):
        self.start(definition("Two", {"floor": state(red=does("dance", {"danced": "complete"}))},
                              {"red": ["element-web", "element-android"]}), solo("Other"))
        before = self.daemon.status()["run"]["id"]
        answer = self.press("Run the whole test")
        self.press("Cancel the whole run")
        status = wait_until(lambda: (now := self.daemon.status())["run"]["id"] != before and now)
        self.assertEqual(answer.headers["Location"], f"/runs/{status['run']['id']}/status")
        self.assertEqual([(suite["name"], len(suite["cases"])) for suite in status["suites"]],
                         [("Two", 2)])

    def test_pages_of_others_press_no_button(self):
        self.start(solo())
        answer = self.press("Cancel this case", headers={"Origin": "http://evil.example"})
        self.assertEqual(answer.status, 403)
        self.assertIn("403 Forbidden", answer.body.decode())
        self.assertEqual(self.daemon.case()["state"], "waiting")

    def test_programs_are_answered_as_ever(self):
        self.start(solo())
        answer = request(self.daemon.url, "POST", self.address("cancel"), b"")
        self.assertEqual((answer.status, answer.json), (200, {}))
        answer = request(self.daemon.url, "POST", "/runs", {})
        self.assertEqual(answer.status, 201)

    # --- drawings

    def test_links_lead_to_lines(self):
        self.start(duet())
        red, green = self.client(version=HOSTILE), self.client()
        red.act("dance", "danced", note=HOSTILE)
        green.act("sing", "sung")
        self.daemon.wait_case("success")
        page = self.page()
        lines = {name for name in page.ids if re.fullmatch(r"line-\d+", name)}
        inside = {link[1:] for link in page.links if link.startswith("#line-")}
        self.assertTrue(inside)
        self.assertLessEqual(inside, lines)
        for picture in ("statemachine.svg", "context.svg", "sequence.svg"):
            answer = self.daemon.get(self.address(picture))
            self.assertEqual(answer.headers["Content-Type"], "image/svg+xml")
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
            links = {value for element in xml.fromstring(answer.body).iter()
                     for name, value in element.attrib.items() if name.endswith("href")}
            self.assertTrue(links, picture)
            for link in links:
                place, _, line = link.partition("#")
                self.assertEqual(place, "status")
                self.assertIn(line, lines)
        [machine] = page.named("object")
        self.assertEqual(machine["type"], "image/svg+xml")
        self.assertEqual(self.daemon.get(self.address(machine["data"])).status, 200)

    def test_what_clients_say_stays_text(self):
        self.start(duet())
        red, green = self.client(version=HOSTILE), self.client()
        red.act("dance", "danced", note=HOSTILE)
        upload(green, b"x", "<svg onload=alert(1)>.svg")
        green.error("action", HOSTILE)
        self.daemon.wait_case("failed")
        page = self.page()
        self.assertLessEqual({one.get("src") for one in page.named("script")}, {"/static/live.js"})
        self.assertFalse([one for _, one in page.elements
                          if any(name.startswith("on") or name == "style" for name in one)])
        self.assertIn("<script>alert(1)</script>", "".join(page.words))
        self.assertNotIn("\u202e", "".join(page.words))
        drawing = xml.fromstring(self.daemon.get(self.address("sequence.svg")).body)
        self.assertFalse([one for one in drawing.iter() if one.tag.endswith("script")])

    def test_kept_cases_have_it_all(self):
        self.start(solo(), config={"timeouts": {"active-client": "200ms"}})
        self.played("failed")
        first = self.address()
        self.press("Run this case again")
        wait_until(lambda: self.address() != first)
        wait_until(lambda: self.daemon.case()["state"] == "waiting")
        page = wait_until(lambda: first in (now := self.page()).links and now,
                          what="the link to the case in the run before")
        self.assertIn("others", page.ids)
        kept = self.page(first)
        self.assertIn("sequence", kept.ids)
        self.assertNotIn("other-" + first.split("/")[2], kept.ids)
        self.assertEqual(self.daemon.get(first.removesuffix("status") + "sequence.svg").status, 200)

    # --- files

    def test_previews(self):
        self.start(solo())
        client = self.client()
        client.expect("dance")
        for name, content in (("a.png", png((1, 2, 3, 255))), ("b.webm", b"\x1aE\xdf\xa3"),
                              ("c.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
                              ("d.html", b"<script>alert(1)</script>")):
            self.assertEqual(upload(client, content, name).status, 200)
        page = self.page()
        self.assertEqual([one["src"] for one in page.named("img") + page.named("video")],
                         ["files/red_a.png?view=1", "files/red_b.webm?view=1"])
        for name, view, kind, disposition in (
                ("a.png", "?view=1", "image/png", "inline"),
                ("b.webm", "?view=1", "video/webm", "inline"),
                ("a.png", "", "image/png", "attachment"),
                ("c.svg", "?view=1", "application/octet-stream", "attachment"),
                ("d.html", "?view=1", "application/octet-stream", "attachment")):
            answer = self.daemon.get(self.address(f"files/red_{name}{view}"))
            self.assertEqual(answer.headers["Content-Type"], kind)
            self.assertRegex(answer.headers["Content-Disposition"], f"^{disposition};")
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertRegex(answer.headers["Content-Security-Policy"],
                             "^default-src 'none'.*; sandbox$")

    def test_parts_of_a_file(self):
        self.start(solo())
        client = self.client()
        client.expect("dance")
        content = bytes(range(256)) * 400
        upload(client, content, "film.webm")
        size = len(content)
        for asked, status, wanted in (
                ("bytes=0-", 206, content), ("bytes=0-0", 206, content[:1]),
                ("bytes=100-299", 206, content[100:300]), ("bytes=-10", 206, content[-10:]),
                (f"bytes=5-{size * 9}", 206, content[5:]), (f"bytes=-{size * 9}", 206, content),
                (f"bytes={size - 1}-", 206, content[-1:]), (f"bytes={size}-", 416, None),
                ("bytes=-0", 416, None), ("bytes=9-5", 200, content), ("bytes=", 200, content),
                ("bytes=a-b", 200, content), ("bytes=0-1,5-6", 200, content),
                ("bytes=1", 200, content), ("bytes=--5", 200, content),
                ("bytes=" + "9" * 40 + "-", 200, content), ("lines=0-1", 200, content)):
            with self.subTest(asked):
                answer = self.daemon.get(self.address("files/red_film.webm"),
                                         headers={"Range": asked})
                self.assertEqual(answer.status, status)
                if status == 416:
                    self.assertEqual(answer.headers["Content-Range"], f"bytes */{size}")
                    self.assertNotIn("Content-Disposition", answer.headers)
                    continue
                self.assertEqual(answer.body, wanted)
                self.assertEqual("Content-Range" in answer.headers, status == 206)
        answer = self.daemon.get(self.address("files/red_film.webm"),
                                 headers={"Range": "bytes=2-3", "If-Range": '"x"'})
        self.assertEqual((answer.status, answer.body), (200, content))
        answer = request(self.daemon.url, "HEAD", self.address("files/red_film.webm"), None,
                         {"Range": "bytes=2-30"})
        self.assertEqual((answer.status, answer.headers["Content-Length"],
                          answer.headers["Content-Range"]), (200, str(size), None))

    # --- problems

    def problem(self, method, path, status, title, body=None, headers=None):
        answer = request(self.daemon.url, method, path, body, {**HTML, **(headers or {})})
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
        self.policy(answer)
        page = Page(answer.body.decode())
        self.assertIn(f"{status} {title} – trafficlight", page.words)
        self.assertIn("/status", page.links)
        return page

    def test_problems_are_pages(self):
        self.start(solo(), config={"limits": {"runs": "1", "body": "1024"}})
        self.problem("GET", "/no/such/place", 404, "Not Found")
        self.problem("GET", f"/status/{UNKNOWN}/status", 404, "Not Found")
        self.problem("GET", f"/status/{UNKNOWN}/sequence.svg", 404, "Not Found")
        self.problem("GET", "/static/nothing.js", 404, "Not Found")
        self.problem("POST", "/status", 405, "Method Not Allowed", b"")
        self.problem("POST", "/runs", 413, "Content Too Large", b"x" * 2000)
        self.problem("POST", "/runs", 503, "Service Unavailable", b"")
        self.problem("POST", "/runs", 400, "Bad Request", b"[", {"Content-Type": "application/json"})
        self.played()
        self.problem("POST", self.address("cancel"), 409, "Conflict", b"")

    def test_the_way_back(self):
        self.start(solo())
        place = f"{self.daemon.url}/status/x/status?a=b"

        def back(referer):
            page = self.problem("GET", "/nowhere", 404, "Not Found",
                                headers={"Referer": referer})
            return [link for link in page.links
                    if link not in ("/status", "/runs", "/history", "/actions", "/manual")]

        self.assertEqual(back(place), ["/status/x/status?a=b"])
        for bad in ("http://evil.example/x", f"{self.daemon.url}//evil.example/x",
                    f"{self.daemon.url}/\\evil.example", f"{self.daemon.url}.evil.example/x",
                    f"{self.daemon.url}@evil.example/", "javascript:alert(1)", ""):
            self.assertEqual(back(bad), [], bad)

    def test_programs_have_their_documents(self):
        self.start(solo())
        for path in ("/nowhere", f"/status/{UNKNOWN}/status"):
            self.assertProblem(self.daemon.get(path), 404)
        self.assertEqual(self.daemon.get("/nowhere", headers={"Accept": "*/*"}).headers[
            "Content-Type"], "application/problem+json")


if __name__ == "__main__":
    unittest.main()
