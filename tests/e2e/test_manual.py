# SPDX-License-Identifier: Apache-2.0
"""A person as a client: the pages below /manual, played without a script as a browser plays
them, by the forms that are on the page."""
import html.parser
import unittest
import urllib.parse
import uuid

import harness
from harness import (ServerTest, VERIFY_ANSWERS, does, duet, later, request, solo, state,
                     verify_client, wait_until)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HOSTILE = "<script>alert(1)</script>\"'&\u202e\x07"
ACTIONS = {"paint": {"ask": "Paint it ${colour}.", "responses": ["painted"],
                      "description": "Paints.", "data": {
                          "colour": {"type": "string", "meaning": "one that is in fashion"}}},
            "mutter": {},
            "count": {"report": {"things": "array", "sure": "boolean"},
                      "responses": ["counted"]}}


def definition(name, states, **more):
    """A test that knows some actions more."""
    test = harness.definition(name, states, **more)
    return {**test, "actions": {**test["actions"], **ACTIONS}}


class Reader(html.parser.HTMLParser):
    """A page: its forms with their fields and buttons, its text, every element."""

    def __init__(self, page):
        super().__init__()
        self.forms, self.tags, self.text = [], [], []
        self._form, self._hushed = None, False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self._hushed = tag in ("script", "style", "title")
        if tag == "form":
            self._form = {"action": attributes["action"], "fields": {}, "buttons": [],
                          "enctype": attributes.get("enctype")}
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "button" and "name" in attributes:
            self._form["buttons"].append((attributes["name"], attributes["value"]))
        elif tag in ("input", "textarea") and "name" in attributes:
            if attributes.get("type") != "radio":
                self._form["fields"][attributes["name"]] = attributes.get("value", "")
            elif "checked" in attributes:
                self._form["fields"][attributes["name"]] = attributes["value"]

    def handle_endtag(self, tag):
        self._hushed = False
        if tag == "form":
            self._form = None

    def handle_data(self, data):
        if not self._hushed:
            self.text.append(data)

    @property
    def words(self):
        return " ".join("".join(self.text).split())

    def having(self, tag, **wanted):
        return [a for t, a in self.tags
                if t == tag and all(a.get(k) == v for k, v in wanted.items())]


class Person:
    """Somebody with a browser that has no scripts."""

    def __init__(self, url):
        self.url = url
        self.place = "/manual"
        self.answer = None
        self.look()

    def look(self):
        return self._shown(request(self.url, "GET", self.place))

    def send(self, path, body, headers=None):
        answer = request(self.url, "POST", path, body, {**FORM, **(headers or {})})
        if answer.status == 303:
            self.place = answer.headers["Location"]
            return self.look()
        return self._shown(answer)

    def _shown(self, answer):
        self.answer = answer
        self.page = Reader(answer.body.decode())
        return self

    def form(self, end):
        found = [form for form in self.page.forms if form["action"].endswith(end)]
        if not found:
            raise AssertionError(f"no form goes to {end}: {self.page.words}")
        return found[0]

    def fill_in(self, form, **changes):
        return urllib.parse.urlencode({**form["fields"], **changes})

    def join(self, **changes):
        return self.send("/manual", self.fill_in(self.form("/manual"), **changes))

    def reply(self, response=None, **changes):
        form = self.form("/report")
        name, value = form["buttons"][0]
        return self.send(form["action"],
                         self.fill_in(form, **{name: response or value}, **changes))

    @property
    def action(self):
        """What is to be done, or None."""
        clock = self.page.having("span")
        shown = [a for a in clock if "data-left" in a]
        return bool(shown)

    @property
    def id(self):
        return self.place.rsplit("/", 1)[1]


class ManualTest(ServerTest):
    def person(self, **changes):
        return Person(self.daemon.url).join(**changes)

    def wait_words(self, person, words):
        wait_until(lambda: words in person.look().page.words, 10, f"the words {words!r}")
        return person

    def painter(self, action="paint", data=None, **more):
        """Somebody who has been asked to paint."""
        red = {"action": action, "responses": None, **({"data": data} if data else {})}
        red = {k: v for k, v in red.items() if v is not None}
        test = definition("Paint", {"wall": {"actions": {"red": red}, "next": "complete"}},
                          **more)
        self.start(test)
        return self.person()

    # --- joining

    def test_types_that_cases_lack_come_first(self):
        self.start(solo("A", "element-ios"), duet("B", "hydrogen-web", "hydrogen-web"))
        self.client("element-ios").expect("dance")
        self.write_definition(solo("C", "element-ios"))
        page = Person(self.daemon.url).page
        radios = page.having("input", type="radio")
        self.assertEqual([r["value"] for r in radios], ["hydrogen-web"])
        self.assertIn("checked", radios[0])
        self.assertIn("1 case waits for it, 2 are lacking", page.words)

    def test_a_client_type_of_the_settings_says_what_it_takes(self):
        self.start(solo("A", "web-next"), config={"client-type web-next": {
            "type": "element-web", "version": "*-next*"}})
        person = Person(self.daemon.url)
        self.assertEqual(person.page.having("input", type="radio")[0]["value"], "element-web")
        self.assertIn("its version must be like *-next*", person.page.words)
        person.join(version="1-next-2")
        self.wait_words(person, "Do this now")

    def test_the_registration_says_who_it_is(self):
        self.start(duet())
        person = self.person(version=" 1.2 ", name="Anna")
        self.assertEqual(self.daemon.client(person.id)["registration"],
                         {"type": "element-web", "version": "1.2", "name": "Anna",
                          "by": "hand"})

    def test_what_is_written_goes_before_what_is_chosen(self):
        self.start(duet())
        person = self.person(other="fridge")
        self.assertEqual(self.daemon.client(person.id)["type"], "fridge")
        self.assertIn("No case waits for a client of your kind", person.page.words)

    def test_a_form_without_a_type_is_shown_again(self):
        self.start()
        person = self.person(version="7")
        self.assertEqual(person.answer.status, 400)
        self.assertIn("what kind of client", person.page.words)
        self.assertEqual(person.form("/manual")["fields"]["version"], "7")
        self.assertEqual(self.person(other="x" * 65).answer.status, 400)
        self.assertEqual(self.person(other="x", version="y" * 201).answer.status, 400)
        self.assertEqual(self.daemon.status()["clients"], [])

    def test_a_form_that_is_sent_twice_is_one_client(self):
        self.start(duet())
        person = Person(self.daemon.url)
        body = person.fill_in(person.form("/manual"))
        first = person.send("/manual", body).place
        self.assertEqual(person.send("/manual", body).place, first)
        self.assertEqual(len(self.daemon.status()["clients"]), 1)

    def test_what_waits_is_told(self):
        self.start(duet())
        person = self.person()
        self.assertIn("Waiting for a test", person.page.words)
        self.assertIn("green needs element-web: 0 free of 1", person.page.words)

    # --- playing

    def test_a_person_and_a_program_verify_each_other(self):
        self.start(verify_client())
        person = self.person()
        wait_until(lambda: self.daemon.client(person.id), 5, "the person")
        other = self.client()
        playing = later(other.play)
        done = []
        while "The end" not in person.look().page.words:
            if not person.action:
                continue
            action = self.daemon.case()["roles"]["red"]["action"]
            done.append(action)
            person.reply()
        self.assertEqual(done, ["register", "accept_crosssign", "verify_crosssign_emoji"])
        self.assertIn("Compare the emoji", " ".join(self.seen_asks()))
        self.assertEqual(playing.result(10)[0], "login")
        self.assertOutcome("success")
        self.assertIn("You are done", person.page.words)

    def seen_asks(self):
        actions = self.daemon.get("/actions.json").json["actions"]
        return [actions[name]["ask"] for name in VERIFY_ANSWERS]

    def test_the_request_has_its_data_in_it(self):
        person = self.painter(data={"colour": "mauve"})
        self.assertIn("Paint it mauve .", person.page.words.replace("mauve.", "mauve ."))
        self.assertIn("one that is in fashion", person.page.words)

    def test_without_its_data_the_description_stands_there(self):
        person = self.painter()
        self.assertIn("Paints.", person.page.words)
        self.assertNotIn("${", person.page.words)

    def test_a_reload_shows_the_same_action(self):
        person = self.painter()
        first = person.form("/report")["fields"]["id"]
        self.assertEqual(person.look().form("/report")["fields"]["id"], first)
        person.reply()
        self.assertOutcome("success")

    def test_an_answer_that_is_sent_twice_counts_once(self):
        self.start(definition("Twice", {"a": state("b", red=does("dance")),
                                        "b": state("complete", red=does("dance"))}))
        person = self.person()
        form = person.form("/report")
        body = person.fill_in(form, response="danced")
        person.send(form["action"], body)
        second = person.form("/report")["fields"]["id"]
        person.send(form["action"], body)
        self.assertEqual(person.answer.status, 200)
        self.assertEqual(person.form("/report")["fields"]["id"], second)
        self.assertEqual(self.daemon.case()["machine"], "b")

    def test_each_accepted_response_has_a_button(self):
        self.start(definition("Choice", {"a": state(red=does(
            "dance", {"danced": "complete", "waltzed": "failure"}))}))
        person = self.person()
        self.assertEqual(person.form("/report")["buttons"],
                         [("response", "danced"), ("response", "waltzed")])
        person.reply("waltzed")
        self.assertOutcome("failure")

    def test_spellings_of_one_response_are_one_button(self):
        self.start(definition("Login", {"a": state("complete", red=does(
            "login", data={"username": "u", "password": "p", "homeserver_url": {}}))}))
        self.assertEqual(len(self.person().form("/report")["buttons"]), 1)

    def test_where_any_word_will_do_one_can_be_written(self):
        self.start(definition("Any", {"a": state("complete", red=does("mutter"))}))
        person = self.person()
        form = person.form("/report")
        self.assertEqual(form["buttons"], [])
        person.send(form["action"], person.fill_in(form, response="hm"))
        self.assertOutcome("success")

    def test_a_response_that_is_not_accepted_is_told(self):
        self.start(definition("Picky", {"a": state(red=does("dance", {"danced": "complete"}))}))
        person = self.person()
        person.reply("exploded")
        self.assertEqual(person.answer.status, 422)
        self.assertIn("exploded", person.page.words)
        person.reply()
        self.assertOutcome("success")

    def test_a_late_answer_is_told(self):
        self.start(definition("Late", {"a": state("complete", red=does("dance"))}))
        person = self.person()
        form = person.form("/report")
        self.daemon.get(f"/status/{self.daemon.case()['id']}/status")
        request(self.daemon.url, "POST", f"/status/{self.daemon.case()['id']}/cancel", {})
        self.daemon.wait_case("error")
        person.send(form["action"], person.fill_in(form, response="danced"))
        self.assertEqual(person.answer.status, 409)
        self.assertIn("The end", person.page.words)
        self.assertFalse(person.page.having("meta", **{"http-equiv": "refresh"}))

    def test_a_failure_is_reported_with_words(self):
        person = self.painter()
        form = person.page.forms[1]
        self.assertEqual(form["buttons"], [("response", "failed")])
        person.send(form["action"], person.fill_in(form, response="failed",
                                                   message="no brush here"))
        self.assertOutcome("failure")
        self.assertIn("no brush here", self.daemon.get(
            f"/status/{self.daemon.case()['id']}/status").body.decode())

    def test_what_a_report_carries_can_be_written(self):
        person = self.painter("count", data=None)
        fields = {"array:things": "one\r\ntwo\r\n", "boolean:sure": "maybe"}
        person.reply(**fields)
        self.assertEqual(person.answer.status, 422)
        self.assertIn("sure is to be JSON of type boolean", person.page.words)
        person.reply(**{**fields, "boolean:sure": "true"})
        self.assertOutcome("success")
        page = self.daemon.get(f"/status/{self.daemon.case()['id']}/status.json").json
        said = " ".join(line["text"] for line in page["transcript"])
        self.assertIn('"things":["one","two"],"sure":true', said)

    def test_looking_at_the_page_counts_as_a_poll(self):
        self.start(duet())
        person = self.person()
        first = self.daemon.client(person.id)["last_polled"]
        self.assertTrue(first)
        wait_until(lambda: person.look() and
                   self.daemon.client(person.id)["last_polled"] != first, 5, "a later poll")
        request(self.daemon.url, "HEAD", person.place)

    def test_who_closes_the_page_is_forgotten(self):
        self.start(duet(), config={"timeouts": {"idle-client": "1s"}})
        person = self.person()
        wait_until(lambda: not self.daemon.client(person.id), 10, "that it is forgotten")
        person.look()
        self.assertEqual(person.answer.status, 404)
        self.assertTrue(person.page.having("a", href="/manual"))

    def test_join_again(self):
        self.start(solo("A"), solo("B"))
        person = self.person(version="3")
        first = person.place
        person.reply()
        form = person.form("/manual")
        person.send("/manual", person.fill_in(form))
        self.assertNotEqual(person.place, first)
        self.assertEqual(self.daemon.client(person.id)["registration"]["version"], "3")
        person.reply()
        self.daemon.wait_case("success", index=1)

    def test_who_waits_can_leave(self):
        self.start(duet())
        person = self.person()
        id = person.id
        person.send(person.form("/leave")["action"], "")
        self.assertEqual(person.place, "/manual")
        self.assertIsNone(self.daemon.client(id))

    def test_who_plays_can_leave(self):
        person = self.painter()
        person.send(person.form("/leave")["action"], "")
        self.assertIn("The end", person.page.words)
        self.assertOutcome("error", "the person who played it left")

    # --- files

    def upload(self, person, name="seen.txt", content=b"it was red"):
        form = person.form("/upload")
        self.assertEqual(form["enctype"], "multipart/form-data")
        body = (b'--xx\r\nContent-Disposition: form-data; name="file"; filename="'
                + name.encode() + b'"\r\nContent-Type: text/plain\r\n\r\n' + content
                + b"\r\n--xx--\r\n")
        return person.send(form["action"], body,
                           {"Content-Type": "multipart/form-data; boundary=xx"})

    def test_a_file_is_uploaded_during_an_action_and_after_the_end(self):
        person = self.painter()
        self.upload(person)
        self.assertIn("red_seen.txt", person.page.words)
        self.assertEqual(self.daemon.get(
            person.page.having("a", href=f"/status/{self.daemon.case()['id']}/files/"
                               "red_seen.txt")[0]["href"]).body, b"it was red")
        person.reply()
        self.upload(person, "after.txt")
        self.assertIn("red_after.txt", person.page.words)

    def test_an_upload_without_a_file_is_told(self):
        person = self.painter()
        person.send(person.form("/upload")["action"], b"--xx\r\nContent-Disposition: form-data;"
                    b' name="file"; filename=""\r\n\r\n\r\n--xx--\r\n',
                    {"Content-Type": "multipart/form-data; boundary=xx"})
        self.assertEqual(person.answer.status, 422)

    # --- strangers

    def test_hostile_words_are_text(self):
        person = self.painter(data={"colour": HOSTILE, HOSTILE: {"x": HOSTILE}})
        self.assertIn("<script>alert(1)</script>\"'&", person.page.words)
        for page in (person, self.person(other=HOSTILE[:60], version=HOSTILE, name=HOSTILE)):
            body = page.answer.body.decode()
            self.assertNotIn("<script>alert", body)
            self.assertNotIn("\u202e", body.split("type=\"hidden\"")[0])
            self.assertTrue(all(not a.get("src") or a["src"].startswith("/static/")
                                for _, a in page.page.tags))
            self.assertIn("script-src 'self'", page.answer.headers["Content-Security-Policy"])

    def test_nobody_is_here(self):
        self.start(duet())
        for id in (str(uuid.uuid4()), self.client().id):
            for method, path in (("GET", ""), ("POST", "/report"), ("POST", "/leave"),
                                 ("POST", "/upload")):
                answer = request(self.daemon.url, method, f"/manual/{id}{path}")
                self.assertEqual(answer.status, 404, path)
                self.assertRegex(answer.headers["Content-Type"], "^text/html")
                self.assertIn("Nobody takes part here", answer.body.decode())

    def test_pages_of_others_may_not_ask(self):
        person = self.painter()
        foreign = {"Origin": "http://evil.example"}
        for path in ("/manual", *(form["action"] for form in person.page.forms)):
            person.send(path, "", foreign)
            self.assertEqual(person.answer.status, 403, path)
        person.place = f"/manual/{self.daemon.case()['roles']['red']['client']}"
        self.assertEqual(self.daemon.case()["state"], "running")
        host = urllib.parse.urlsplit(self.daemon.url).netloc
        form = person.look().form("/report")
        person.send(form["action"], person.fill_in(form, response="painted"),
                    {"Origin": f"http://{host}"})
        self.assertOutcome("success")


if __name__ == "__main__":
    unittest.main()
