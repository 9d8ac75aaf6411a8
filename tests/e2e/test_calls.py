# SPDX-License-Identifier: Apache-2.0
"""Video calls that simulated clients play: what they see, say and upload."""
import http.server
import json
import subprocess
import threading
import unittest

from harness import (COMMAND, SOURCE, ServerTest, definition, does, run, state,
                     wait_until)

SHIPPED = SOURCE / "contrib" / "suites" / "video"


class CallsTest(ServerTest):
    def simulate(self, *arguments):
        process = subprocess.Popen([str(COMMAND), "simulate", "--quiet", "--url",
                                    self.daemon.url, *arguments],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def done(self):
        return self.daemon.status()["server"]["done"]

    def test_all_shipped_calls_at_once(self):
        count = 5 * len(list(SHIPPED.glob("*_test.json")))
        self.start(config={"tests": {"path": SHIPPED, "repeat": 5, "wait-scale": 0.01}})
        self.assertEqual(len(self.daemon.cases()), count)
        process = self.simulate("--client", f"element-call={2 * count}",
                                "--think", "0..20ms")
        wait_until(self.done, 40, f"the end of {count} cases")
        self.assertEqual([case["message"] for case in self.daemon.cases()
                          if case["state"] != "success"], [])
        self.assertEqual(process.wait(20), 0)

    def test_snapshots_are_there_for_people(self):
        one = SHIPPED / "join_call_receive_video_test.json"
        self.start(config={"tests": {"path": one, "wait-scale": 0.01}})
        process = self.simulate("--client", "element-call=2")
        case = self.assertOutcome("success")
        self.assertEqual(process.wait(20), 0)
        files = sorted(case["files"])
        self.assertEqual(files[0], "alice_1_alice.png")
        self.assertRegex(" ".join(files), r"^(alice|bob)_\d_(alice|bob)\.png"
                                          r"( (alice|bob)_\d_(alice|bob)\.png){6}$")
        for name in files:
            answer = self.daemon.get(f"/status/{case['id']}/files/{name}")
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.body[:8], b"\x89PNG\r\n\x1a\n")

    def test_what_cannot_be_done_says_why(self):
        self.start(definition("Alone", {"call": state(red=does("get_call_data"),
                                                      next="complete")},
                              {"red": ["element-call"]}))
        process = self.simulate("--client", "element-call")
        self.assertOutcome("error", "get_call_data")
        self.assertEqual(process.wait(20), 0)
        self.assertIn(b"is in no call", self.daemon.get("/status/junit.xml").body)


# --- a server that takes no files


class Refusing(http.server.BaseHTTPRequestHandler):
    """Gives out actions, one after another, and answers uploads with a problem."""
    protocol_version = "HTTP/1.1"
    actions = (("create_or_join", {"call_name": "x", "display_name": "red"}),
               ("get_lobby_data", {}), ("wait", {"time": 150}))

    def log_message(self, *_):
        pass

    def read_body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        taken = len(self.server.reports)
        if taken == len(self.actions):
            return self.answer(200, {"action": "exit", "data": {}})
        action, data = self.actions[taken]
        return self.answer(200, {"action": action, "data": data})

    def do_POST(self):
        body = self.read_body()
        if self.path.endswith("/upload"):
            self.server.uploads.append((self.headers, body))
            return self.answer(413, {"detail": "far too large"})
        if self.path.endswith("/report"):
            self.server.reports.append(json.loads(body))
        return self.answer(200, {})


class RefusedTest(unittest.TestCase):
    def test_without_its_file_the_report_is_an_error(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
        server.daemon_threads = True
        server.uploads, server.reports = [], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        done = run(COMMAND, "simulate", "--client", "element-call", "--url",
                   f"http://127.0.0.1:{server.server_port}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        (headers, body), = server.uploads
        self.assertEqual(headers["Transfer-Encoding"], "chunked")
        self.assertIn(b'name="file"; filename="1_red.png"\r\n', body)
        self.assertIn(b"Content-Type: application/octet-stream\r\n\r\n\x89PNG", body)
        self.assertEqual([report["response"] for report in server.reports],
                         ["create_or_join", "error", "wait_over"])
        self.assertIn("far too large", server.reports[1]["reason"])


if __name__ == "__main__":
    unittest.main()
