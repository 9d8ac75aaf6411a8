# SPDX-License-Identifier: Apache-2.0
"""The protocol as adapters meet it: register, poll, report, error, and bad requests."""
import json
import re
import shutil
import socket
import struct
import subprocess
import time
import unittest

from harness import (ServerTest, connection, duet, exchange, later, raw_socket, read_all,
                     request, send_raw, solo, wait_until)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

BAD_JSON = {
    "malformed": b"{type: 'element-web'}",
    "truncated": b'{"type": "element-web"',
    "a comment": b'{"type": "element-web"} // hello',
    "a second value": b'{"type": "element-web"} {}',
    "a comma too many": b'{"type": "element-web",}',
    "NaN": b'{"type": "element-web", "n": NaN}',
    "Infinity": b'{"type": "element-web", "n": -Infinity}',
    "a leading zero": b'{"type": "element-web", "n": 01}',
    "a raw control character": b'{"type": "element-web", "n": "a\nb"}',
    "invalid UTF-8": b'{"type": "element-web", "n": "\xff\xfe"}',
    "an overlong form": b'{"type": "element-web", "n": "\xc0\xaf"}',
    "a NUL": b'{"type": "element-web"}\0',
    "too deep": b'{"type": "element-web", "n": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "an array": b'[{"type": "element-web"}]',
    "a string": b'"element-web"',
    "a number": b"5",
    "null": b"null",
    "no type": b'{"version": "1"}',
    "nothing at all": b"",
    "type is a number": b'{"type": 5}',
    "type is null": b'{"type": null}',
    "type is empty": b'{"type": ""}',
    "type is too long": b'{"type": "' + b"x" * 65 + b'"}',
}

BAD_IDS = ("a%2Fb", "a%00", "a%20b", "caf%C3%A9", "a%5Cb", "a:b", "a*b", "%3Cscript%3E",
           "x" * 129)


class RegisterTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.start(duet())

    def test_answers_an_empty_object(self):
        red = self.client(register=False)
        self.assertTaken(red.call("POST", "register", {"type": "element-web"}))
        seen = self.daemon.client(red.id)
        self.assertEqual((seen["type"], seen["state"]), ("element-web", "waiting"))

    def test_again_while_waiting_replaces(self):
        red = self.client(version="1")
        red.register(version="2", colour="red")
        self.assertEqual(len(self.daemon.status()["clients"]), 1)
        self.assertEqual(self.daemon.client(red.id)["registration"],
                         {"type": "element-web", "version": "2", "colour": "red"})

    def test_again_while_playing_is_refused(self):
        red, _ = self.pair()
        self.assertProblem(red.call("POST", "register", {"type": "element-web"}), 409)
        red.expect("dance")

    def test_bad_bodies(self):
        red = self.client(register=False)
        for name, body in BAD_JSON.items():
            with self.subTest(name):
                self.assertProblem(red.call("POST", "register", body), 400)
        self.assertEqual(self.daemon.status()["clients"], [])
        red.register()

    def test_the_longest_type(self):
        self.assertTaken(self.client(register=False).call(
            "POST", "register", {"type": "x" * 64}))

    def test_bad_ids(self):
        for identifier in BAD_IDS:
            for method, verb in (("POST", "register"), ("GET", "poll"), ("POST", "report"),
                                 ("POST", "error")):
                with self.subTest(id=identifier, verb=verb):
                    self.assertProblem(request(self.daemon.url, method, f"/client/"
                                               f"{identifier}/{verb}",
                                               {"type": "x"} if method == "POST" else None),
                                       400)
        self.assertEqual(self.daemon.status()["clients"], [])

    def test_ids_with_slashes_and_empty_ones(self):
        for path in ("/client/a/b/register", "/client//register"):
            answer = request(self.daemon.url, "POST", path, {"type": "x"})
            self.assertIn(answer.status, (400, 404))
            self.assertProblem(answer, answer.status)

    def test_odd_but_good_ids(self):
        for identifier in ("x", "A.b_c~d-9", "y" * 128):
            self.client(id=identifier)
            self.assertIsNotNone(self.daemon.client(identifier))

    def test_too_large(self):
        link = self.client(register=False)
        for megabytes in (2, 4, 8, 16, 32):
            body = b'{"type": "element-web", "x": "' + b"x" * (megabytes << 20) + b'"}'
            answer = link.call("POST", "register", body)
            if answer.status != 200:
                break
        self.assertProblem(answer, 413)
        self.assertEqual(self.daemon.get("/healthz").status, 200)

    def test_far_too_large(self):
        with raw_socket(self.daemon.url) as sock:
            sock.sendall(b"POST /client/x/register HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Type: application/json\r\n"
                         b"Content-Length: 99999999999\r\n\r\n")
            piece = b"x" * (1 << 20)
            try:
                for _ in range(256):
                    sock.sendall(piece)
                refused = False
            except OSError:
                refused = True
            received = read_all(sock)
        self.assertTrue(refused or received.startswith(b"HTTP/1.1 413"), received[:200])
        self.assertIsNone(self.daemon.client("x"))
        self.assertEqual(self.daemon.get("/healthz").status, 200)

    def test_form_encoded(self):
        red = self.client(register=False)
        self.assertTaken(red.call("POST", "register", "type=element-web&version=1+%2B1",
                                  FORM))
        self.assertEqual(self.daemon.client(red.id)["registration"],
                         {"type": "element-web", "version": "1 +1"})

    def test_other_content_types_are_read_as_json(self):
        for content_type in ("text/plain", "application/json; charset=utf-8", ""):
            red = self.client("element-phone", register=False)
            self.assertTaken(red.call("POST", "register", '{"type": "element-phone"}',
                                      {"Content-Type": content_type}))

    def test_multipart_is_for_uploads(self):
        body = '--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nx\r\n--b--\r\n'
        answer = self.client(register=False).call(
            "POST", "register", body, {"Content-Type": "multipart/form-data; boundary=b"})
        self.assertProblem(answer, 415)


class RequestTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.start(solo())

    def call(self, method, path, body=None, headers=None):
        return request(self.daemon.url, method, path, body, headers)

    def test_unknown_paths(self):
        for method, path in (("GET", "/nope"), ("GET", "/client"), ("GET", "/client/x"),
                             ("GET", "/client/x/dance"), ("POST", "/client/x/register/more"),
                             ("POST", "/nope"), ("GET", "/status.jsonx"),
                             ("GET", "/%2e%2e/etc/passwd")):
            with self.subTest(path):
                self.assertProblem(self.call(method, path), 404)

    def test_wrong_methods(self):
        for method, path, allowed in (("GET", "/client/x/register", "POST"),
                                      ("PUT", "/client/x/register", "POST"),
                                      ("DELETE", "/client/x/report", "POST"),
                                      ("POST", "/client/x/poll", "GET"),
                                      ("HEAD", "/client/x/poll", "GET"),
                                      ("POST", "/healthz", "GET"),
                                      ("PATCH", "/status.json", "GET")):
            with self.subTest(f"{method} {path}"):
                answer = self.call(method, path)
                self.assertIn(allowed, re.split(r",\s*", answer.headers["Allow"] or ""))
                if method == "HEAD":
                    self.assertEqual((answer.status, answer.body), (405, b""))
                else:
                    self.assertProblem(answer, 405)

    def test_head(self):
        for path in ("/healthz", "/status.json", "/status", "/status/junit.xml"):
            with self.subTest(path):
                got, head = self.call("GET", path), self.call("HEAD", path)
                self.assertEqual((head.status, head.body), (200, b""))
                self.assertEqual(head.headers["Content-Type"], got.headers["Content-Type"])

    def test_keep_alive(self):
        link = connection(self.daemon.url)
        self.addCleanup(link.close)
        self.assertEqual(exchange(link, "GET", "/healthz").status, 200)
        ours = link.sock.getsockname()
        for path in ("/status.json", "/nope", "/client/x/poll", "/healthz"):
            exchange(link, "GET", path)
            self.assertIsNotNone(link.sock, f"closed after {path}")
            self.assertEqual(link.sock.getsockname(), ours)

    def test_connection_close(self):
        answer = send_raw(self.daemon.url, b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
                                           b"Connection: close\r\n\r\n")
        self.assertRegex(answer, b"^HTTP/1.1 200 ")

    def test_http_1_0(self):
        self.assertRegex(send_raw(self.daemon.url, b"GET /healthz HTTP/1.0\r\n\r\n"),
                         b"^HTTP/1.[01] 200 ")

    def test_chunked_body(self):
        body = b'{"type": "element-phone", "version": "long"}'
        chunks = iter([body[:9], body[9:10], body[10:]])
        self.assertTaken(self.call("POST", "/client/x/register", chunks))
        self.assertEqual(self.daemon.client("x")["registration"]["version"], "long")

    def test_expect_continue(self):
        body = b'{"type": "element-phone"}'
        with raw_socket(self.daemon.url) as sock:
            sock.sendall(b"POST /client/x/register HTTP/1.1\r\nHost: x\r\nConnection: close"
                         b"\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                         % len(body))
            self.assertRegex(sock.recv(4096), b"^HTTP/1.1 100 ")
            sock.sendall(body)
            self.assertRegex(read_all(sock), b"^HTTP/1.1 200 ")

    def test_pipelined_requests(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
        answers = send_raw(self.daemon.url, one + b"\r\n" + one + b"\r\n" + one
                           + b"Connection: close\r\n\r\n")
        self.assertEqual(answers.count(b"HTTP/1.1 200 "), 3)

    def test_pipelined_behind_a_held_poll(self):
        self.client(id="x", type="element-phone")
        with raw_socket(self.daemon.url) as sock:
            sock.sendall(b"GET /client/x/poll?wait=0.5 HTTP/1.1\r\nHost: x\r\n\r\n"
                         b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answers = read_all(sock)
        self.assertLess(answers.index(b"HTTP/1.1 200 "), answers.index(b"HTTP/1.1 404 "))

    def test_junk(self):
        start = b"POST /client/x/register HTTP/1.1\r\nHost: x\r\n"
        get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
        for name, junk in {
                "nothing": b"",
                "noise": bytes(range(256)) * 16,
                "a word": b"GET\r\n\r\n",
                "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x07" * 500,
                "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "HTTP/9.9": b"GET /healthz HTTP/9.9\r\n\r\n",
                "HTTP/-1.5": b"GET /healthz HTTP/-1.5\r\n\r\n",
                "no such method": b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
                "a path with spaces": b"GET /he al thz HTTP/1.1\r\nHost: x\r\n\r\n",
                "a header without colon": get + b"nonsense\r\n\r\n",
                "a space before the colon": start + b"Content-Length : 5\r\n\r\n{   }",
                "a negative length": start + b"Content-Length: -5\r\n\r\n",
                "a signed length": start + b"Content-Length: +2\r\n\r\n{}",
                "a length of words": start + b"Content-Length: five\r\n\r\n",
                "two lengths": start + b"Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}",
                "length and chunks": start + b"Content-Length: 3\r\n"
                                             b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "an unknown encoding": start + b"Transfer-Encoding: gzip\r\n\r\n{}",
                "a broken chunk": start + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
                "an endless chunk": start + b"Transfer-Encoding: chunked\r\n\r\n"
                                            b"ffffffffffffffff\r\n{}\r\n",
                "a strange expectation": start + b"Expect: a miracle\r\n"
                                                 b"Content-Length: 2\r\n\r\n{}",
                "a long header": get + b"X: " + b"x" * 200000 + b"\r\n\r\n",
                "many headers": get + b"X: y\r\n" * 20000 + b"\r\n",
                "a long path": b"GET /" + b"x" * 200000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                "half a request": b"GET /healthz HT",
                "half a body": start + b'Content-Length: 100\r\n\r\n{"type"',
        }.items():
            with self.subTest(name):
                answer = send_raw(self.daemon.url, junk, end=True)
                if answer:
                    self.assertRegex(answer, rb"^HTTP/1\.[01] (4\d\d|501|505) ")
                    self.assertIn(b"application/problem+json", answer)
                self.assertEqual(self.call("GET", "/healthz").status, 200)
        self.assertEqual(self.daemon.status()["clients"], [])

    def test_headers_that_are_too_large(self):
        with raw_socket(self.daemon.url) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40000
                         + b"\r\n\r\n")
            answer = read_all(sock)
        self.assertTrue(not answer or answer.startswith(b"HTTP/1.1 431 "), answer[:200])

    def test_a_slow_sender_holds_up_nobody(self):
        with raw_socket(self.daemon.url) as slow:
            slow.sendall(b"POST /client/x/register HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
            begun = time.monotonic()
            self.client()
            self.assertLess(time.monotonic() - begun, 2)


class PollTest(ServerTest):
    def test_unknown_client(self):
        self.start(solo())
        nobody = self.client(register=False)
        self.assertExit(nobody.poll(wait=10))
        self.assertIsNone(self.daemon.client(nobody.id))

    def test_the_same_until_it_is_reported(self):
        self.start(solo())
        red = self.client()
        first = red.poll()
        self.assertEqual(first["action"], "dance")
        self.assertTrue(first["id"])
        self.assertEqual([red.poll(), red.poll(wait=0), self.again(red).poll()], [first] * 3)

    def test_no_wait(self):
        self.start(duet())
        self.assertIdle(self.client().poll(wait=0), 5000)

    def test_held(self):
        self.start(duet())
        begun = time.monotonic()
        self.assertIdle(self.client().poll(wait="0.5"), 0)
        self.assertGreater(time.monotonic() - begun, 0.4)

    def test_prefer(self):
        self.start(duet())
        red = self.client()
        for prefer in ("wait=1", "respond-async, wait=1", "respond-async; x=y, wait=1"):
            with self.subTest(prefer):
                begun = time.monotonic()
                self.assertIdle(red.poll(wait=None, prefer=prefer), 0)
                self.assertTrue(0.8 < time.monotonic() - begun < 10)

    def test_the_query_comes_before_prefer(self):
        self.start(duet())
        self.assertIdle(self.client().poll(wait=0, prefer="wait=20"), 5000)

    def test_the_setting(self):
        self.start(duet(), config={"timeouts": {"long-poll": "500ms"}})
        begun = time.monotonic()
        self.assertIdle(self.client().poll(wait=None), 0)
        self.assertTrue(0.4 < time.monotonic() - begun < 10)

    def test_the_setting_for_the_longest(self):
        self.start(duet(), config={"timeouts": {"long-poll-max": "500ms"}})
        red = self.client()
        begun = time.monotonic()
        for wait, prefer in ((40, None), (None, "wait=40"), (None, None)):
            self.assertIdle(red.poll(wait, prefer), 0)
        self.assertLess(time.monotonic() - begun, 15)

    def test_malformed_waits(self):
        self.start(duet())
        red = self.client()
        for wait in ("x", "-1", "nan", "inf", "-inf", "1e999", "", "5s", "1,5", "0x10", "1%00"):
            with self.subTest(wait):
                self.assertProblem(red.poll_answer(wait), 400)

    def test_a_second_poll_takes_the_place_of_the_first(self):
        self.start(duet(green="element-android"))
        red = self.client()
        first = later(red.poll, 30)
        self.daemon.wait_parked(red)
        second = later(self.again(red).poll, 30)
        self.assertIdle(first.result(5), 0)
        self.client("element-android")
        self.assertEqual(second.result(5)["action"], "dance")

    def test_answered_when_there_is_something_to_do(self):
        self.start(duet(green="element-android"))
        red = self.client()
        held = later(red.poll, 30)
        self.daemon.wait_parked(red)
        begun = time.monotonic()
        self.client("element-android")
        self.assertEqual(held.result(5)["action"], "dance")
        self.assertLess(time.monotonic() - begun, 1)

    def test_who_spins_is_slowed(self):
        self.start(solo())
        red = self.client()

        def took(wait=None):
            begun = time.monotonic()
            self.assertEqual(red.poll(wait)["action"], "dance")
            return time.monotonic() - begun

        times = [took() for _ in range(7)]
        self.assertLess(max(times[:4]), 0.5)
        self.assertGreater(times[6], 0.5)
        self.assertLess(took(wait=0), 0.5)
        slowed = later(took)
        self.assertTaken(self.again(red).report("danced"))
        slowed.exception(5)
        self.assertExit(red.poll())

    def test_who_hangs_up_is_forgotten(self):
        self.start(duet(green="element-android"))
        crowd = [self.client() for _ in range(20)]
        before = self.daemon.descriptors()  # give or take one that is just closing
        held = [raw_socket(self.daemon.url) for _ in crowd]
        for client, sock in zip(crowd, held):
            sock.sendall(f"GET /client/{client.id}/poll?wait=50 HTTP/1.1\r\nHost: x\r\n\r\n"
                         .encode())
        for client in crowd:
            self.daemon.wait_parked(client)
        self.assertGreater(self.daemon.descriptors(), before + 15)
        for sock in held[::2]:  # these reset, the others just end
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for sock in held:
            sock.close()
        wait_until(lambda: self.daemon.descriptors() < before + 3, what="their end")
        self.client("element-android")
        crowd[0].expect("dance")

    def test_an_answer_that_was_lost_is_given_again(self):
        self.start(duet(green="element-android"))
        red = self.client()
        with raw_socket(self.daemon.url) as sock:
            sock.sendall(f"GET /client/{red.id}/poll?wait=50 HTTP/1.1\r\nHost: x\r\n\r\n"
                         .encode())
            self.daemon.wait_parked(red)
            self.client("element-android")
        red.expect("dance")

    def test_over_a_unix_socket(self):
        path = self.folder / "s"
        self.start(solo(), listeners=2,
                   config={"server": {"listen": f"127.0.0.1:0 unix:{path}"}})
        self.assertIn(f"unix:{path}", self.daemon.urls)
        self.daemon.url = f"unix:{path}"
        red = self.client()
        red.act("dance", "danced")
        red.expect_exit()
        self.assertOutcome("success")


class ReportTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.start(duet())
        self.red, self.green = self.pair()

    def machine(self):
        return self.daemon.case()["machine"]

    def test_with_id(self):
        delivery = self.red.expect("dance")["id"]
        self.assertTaken(self.red.report("danced", id=delivery))
        self.assertEqual(self.machine(), "stage")

    def test_a_repeat_with_id_changes_nothing(self):
        delivery = self.red.expect("dance")["id"]
        self.assertTaken(self.red.report("danced", id=delivery))
        self.assertTaken(self.red.report("danced", id=delivery))
        self.assertTaken(self.red.report("failed", id=delivery))
        self.assertEqual(self.machine(), "stage")
        self.green.act("sing", "sung")
        self.assertOutcome("success")

    def test_an_unknown_id(self):
        delivery = self.red.expect("dance")["id"]
        self.assertProblem(self.red.report("danced", id="no-such-id"), 409)
        self.assertProblem(self.red.report("danced", id=delivery + "x"), 409)
        self.assertEqual(self.machine(), "floor")

    def test_another_clients_id(self):
        delivery = self.red.expect("dance")["id"]
        self.assertProblem(self.green.report("danced", id=delivery), 409)
        self.assertEqual(self.machine(), "floor")

    def test_with_id_while_waiting(self):
        waiting = self.client()
        self.assertProblem(waiting.report("danced", id="x"), 409)

    def test_a_name_that_is_not_accepted_with_id(self):
        delivery = self.red.expect("dance")["id"]
        self.assertProblem(self.red.report("flew_away", id=delivery), 422, "flew_away",
                           "danced")
        self.assertEqual(self.machine(), "floor")
        self.assertTaken(self.red.report("danced", id=delivery))
        self.assertEqual(self.machine(), "stage")

    def test_failed_with_id(self):
        delivery = self.red.expect("dance")["id"]
        self.assertTaken(self.red.report("failed", id=delivery))
        self.assertOutcome("failure", "red")

    def test_a_repeat_without_id_changes_nothing(self):
        self.red.expect("dance")
        for _ in range(3):
            self.assertTaken(self.red.report("danced"))
        self.assertTaken(self.red.report("flew_away"))
        self.assertEqual(self.machine(), "stage")
        self.green.act("sing", "sung")
        self.assertOutcome("success")

    def test_before_a_role_without_id(self):
        waiting = self.client()
        self.assertTaken(waiting.report("danced"))
        self.assertIdle(waiting.poll(wait=0), 5000)

    def test_with_nothing_to_do_without_id(self):
        self.assertTaken(self.green.report("sung"))
        self.red.act("dance", "danced")
        self.green.act("sing", "sung")
        self.assertOutcome("success")

    def test_unknown_client(self):
        nobody = self.client(register=False)
        self.assertProblem(nobody.report("danced"), 404)
        self.assertProblem(nobody.report("danced", id="x"), 404)

    def test_respond_is_report(self):
        self.red.expect("dance")
        self.assertTaken(self.red.call("POST", "respond", {"response": "danced"}))
        self.assertEqual(self.machine(), "stage")

    def test_form_encoded(self):
        self.red.expect("dance")
        self.assertTaken(self.red.call("POST", "report", "response=danced&n=1", FORM))
        self.assertEqual(self.machine(), "stage")

    def test_json_under_the_name_of_a_form(self):
        self.red.expect("dance")
        self.assertProblem(self.red.call("POST", "report", '{"response": ', FORM), 400)
        self.assertTaken(self.red.call("POST", "report", '{"response": "danced"}', FORM))
        self.assertEqual(self.machine(), "stage")

    def test_an_empty_body(self):
        self.red.expect("dance")
        self.assertTaken(self.red.call("POST", "respond", b""))
        self.assertEqual(self.machine(), "stage")

    def test_no_body_and_no_length(self):
        self.red.expect("dance")
        send_raw(self.daemon.url, f"POST /client/{self.red.id}/respond HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n".encode())
        self.assertEqual(self.machine(), "stage")

    def test_a_chunked_body(self):
        self.red.expect("dance")
        self.assertTaken(self.red.call("POST", "report",
                                       iter([b'{"response"', b': "danced"}'])))
        self.assertEqual(self.machine(), "stage")

    def test_bad_bodies_change_nothing(self):
        self.red.expect("dance")
        for body in (b"{", b"[]", b'"danced"', b"null", b'{"response": "danced"} x',
                     b'{"response": "\xff"}', b'{"response": "danced", "id": 5}',
                     b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}"):
            with self.subTest(body[:40]):
                self.assertProblem(self.red.call("POST", "report", body), 400)
        self.assertEqual(self.machine(), "floor")
        self.red.act("dance", "danced")

    def test_a_response_that_is_no_text(self):
        """Readable, so it is taken from who names no id; but no state accepts it."""
        delivery = self.red.expect("dance")["id"]
        self.assertIn(self.red.report(5, id=delivery).status, (400, 422))
        self.assertEqual(self.machine(), "floor")
        self.assertTaken(self.red.report(5))
        self.assertOutcome("error", "red", "dance", "5", "danced")

    def test_without_id_before_the_first_poll(self):
        """It is about what the latest poll was given; there was none."""
        self.assertTaken(self.red.report("danced"))
        self.assertEqual(self.machine(), "floor")

    def test_two_clients_report_at_once(self):
        self.red.expect("dance")
        link = self.again(self.red)
        answers = [later(c.report, "danced") for c in (self.red, link)]
        for answer in answers:
            self.assertTaken(answer.result(5))
        self.assertEqual(self.machine(), "stage")


class ErrorTest(ServerTest):
    def test_of_an_action_is_a_failure(self):
        self.start(duet())
        red, green = self.pair()
        red.expect("dance")
        self.assertTaken(red.error("action", "the button is gone", "dance.py:7"))
        self.assertOutcome("failure", "red", "the button is gone")
        green.expect_exit()
        red.expect_exit()

    def test_of_another_type_is_an_error(self):
        self.start(duet())
        red, green = self.pair()
        self.assertTaken(green.error("unknown", "the browser is gone", "x.py:7"))
        self.assertOutcome("error", "green", "the browser is gone")
        red.expect_exit()
        green.expect_exit()

    def test_path_reaches_the_report_and_the_page(self):
        self.start(solo())
        red = self.client()
        self.assertTaken(red.error("action", "gone", "deep/dance.py:7"))
        case = self.assertOutcome("failure", "gone")
        self.assertIn(b"deep/dance.py:7", self.daemon.get("/status/junit.xml").body)
        self.assertIn(b"deep/dance.py:7", self.daemon.get(f"/status/{case['id']}/status").body)

    def test_before_a_role_it_retires(self):
        self.start(duet())
        red = self.client()
        held = later(red.poll, 20)
        self.daemon.wait_parked(red)
        self.assertTaken(self.again(red).error("adapter", "no browser"))
        self.assertExit(held.result(5))
        self.assertProblem(red.call("POST", "register", {"type": "element-web"}), 409)
        self.assertEqual(self.daemon.case()["state"], "waiting")

    def test_after_the_end_it_is_noted(self):
        self.start(solo())
        red = self.client()
        red.act("dance", "danced")
        self.assertTaken(red.error("adapter", "the video is lost"))
        self.assertOutcome("success")
        self.assertIn(b"the video is lost", self.daemon.get("/status/junit.xml").body)

    def test_malformed(self):
        self.start(duet())
        red, _ = self.pair()
        for body in (b"", b"{", b"[]", b"{}", b'{"error": "text"}', b'{"error": []}',
                     b'{"error": {"type": 5}}', b'{"error": {"type": "action", "details": {}}}'):
            with self.subTest(body):
                self.assertProblem(red.call("POST", "error", body), 400)
        self.assertEqual(self.daemon.case()["state"], "running")

    def test_unknown_client(self):
        self.start(solo())
        self.assertProblem(self.client(register=False).error(), 404)


class CurlTest(ServerTest):
    """What a person types."""

    def test_two_loops_in_a_shell(self):
        if not shutil.which("curl"):
            self.skipTest("curl is missing: apt-get install curl")
        self.start(duet())
        loop = """
            client=$1/client/$2; response=$3
            curl -sf -d '{"type": "element-web"}' $client/register >/dev/null || exit 1
            while :; do
                action=$(curl -sf "$client/poll?wait=5") || exit 1
                case $action in
                *'"exit"'*) exit 0 ;;
                *'"idle"'*) ;;
                *) curl -sf -d "{\\"response\\": \\"$response\\"}" $client/report >/dev/null ;;
                esac
            done"""
        loops = []
        for name, response in (("red", "danced"), ("green", "sung")):
            loops.append(subprocess.Popen(["timeout", "30", "sh", "-c", loop, "sh",
                                           self.daemon.url, name, response]))
            wait_until(lambda: self.daemon.client(name), what="the client")
        for process in loops:
            self.assertEqual(process.wait(40), 0)
        self.assertOutcome("success")


if __name__ == "__main__":
    unittest.main()
