# SPDX-License-Identifier: Apache-2.0
"""trafficlight run and wait over runs, and commands that outlive a restart of their server."""
import http.server
import json
import re
import signal
import socket
import subprocess
import threading
import unittest

from harness import (COMMAND, PATIENCE, ServerTest, check_junit, duet, junit_outcome,
                     request, solo, wait_until)

IDLE = {"tests": {"autostart": "no"}}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Command:
    """A command that runs beside the test."""

    def __init__(self, test, *arguments):
        self.process = subprocess.Popen([str(COMMAND), *map(str, arguments)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.out, self.err = [], []
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True) for pair in
                        ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for reader in self.readers:
            reader.start()
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)

    @staticmethod
    def read(stream, lines):
        with stream:
            for line in stream:
                lines.append(line)

    def wait_for(self, lines, pattern):
        return wait_until(lambda: re.search(pattern, "".join(lines)), 15,
                          f"{pattern!r} in {lines}")

    def end(self, timeout=20):
        """Wait for its end; gives (exit status, stdout, stderr)."""
        status = self.process.wait(timeout * PATIENCE)
        for reader in self.readers:
            reader.join(5)
        return status, "".join(self.out), "".join(self.err)


class CommandTest(ServerTest):
    def beside(self, name, *arguments, url=None):
        return Command(self, name, "--url", url or self.daemon.url, *arguments)

    def ask(self, *arguments, **more):
        """trafficlight run, and the id of its run."""
        command = self.beside("run", *arguments, **more)
        found = command.wait_for(command.out, r"run ([0-9a-f-]{36}): (\d+) cases?, (\w+)")
        command.run, command.cases, command.state = found.groups()
        return command

    def look(self, run):
        return self.daemon.get(f"/runs/{run}/status.json").json

    def dance(self, response="danced"):
        client = self.client()
        client.act("dance", response)
        return client

    def restart(self, config, how=None):
        """The same server once more, on the same port, after this signal (None: it ends already)."""
        if how:
            self.daemon.signal(how)
        self.daemon.process.wait(15 * PATIENCE)
        return self.start(config=config, expect=None)

    def fixed(self, **more):
        """Settings with a port that stays the same."""
        return {"server": {"listen": f"127.0.0.1:{free_port()}"}, **more}


class RunTest(CommandTest):
    def test_a_run_from_its_beginning_to_its_end(self):
        self.start(solo(), config=IDLE)
        report = self.folder / "junit.xml"
        command = self.ask("--label", "nightly \u00e4", "--junit", report)
        self.assertEqual((command.cases, command.state), ("1", "running"))
        self.assertIn(f"{self.daemon.url}/runs/{command.run}/status", "".join(command.out))
        self.assertEqual(self.look(command.run)["run"]["label"], "nightly \u00e4")
        self.dance()
        status, out, err = command.end()
        self.assertEqual((status, err), (0, ""))
        self.assertIn("e2e.Solo", out)
        self.assertTrue(out.endswith("1 case: 1 success\n"), out)
        self.assertEqual(junit_outcome(check_junit(report.read_bytes())).kind, "success")

    def test_a_case_that_fails(self):
        self.start(solo(), config=IDLE)
        command = self.ask("--quiet")
        self.dance("failed")
        status, out, _ = command.end()
        self.assertEqual((status, len(out.splitlines())), (1, 1))

    def test_flaky_is_success(self):
        self.start(solo(), config={"tests": {"autostart": "no", "retries": 1}})
        command = self.ask()
        self.dance("failed")
        self.dance()
        status, out, _ = command.end()
        self.assertEqual(status, 0)
        self.assertTrue(out.endswith("1 case: 1 success, 1 of them flaky\n"), out)

    def test_what_can_be_wished(self):
        self.start(solo("One"), solo("Two"), duet("Three"), config=IDLE)
        for options, cases in ((["--only", "*.One", "-o", "*.Two"], 2),
                               (["--repeat", "3"], 9), (["--only=*.One", "--repeat=2"], 2)):
            command = self.ask("--timeout", "0", *options)
            self.assertEqual(int(command.cases), cases)
            self.assertEqual(command.end()[0], 3)

    def test_what_the_server_does_not_take(self):
        self.start(solo(), config=IDLE)
        done = self.command("run", "--url", self.daemon.url, "--only", "nothing.*")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("does not take the run: 422: no case fits", done.stderr)
        done = self.command("run", "--url", self.daemon.url, "--label", "x" * 201)
        self.assertEqual(done.returncode, 2)
        self.assertIn("400", done.stderr)

    def test_there_is_no_room_for_now(self):
        self.start(solo(), config={"limits": {"runs": 1}})
        done = self.command("run", "--url", self.daemon.url, "--patience", "100ms")
        self.assertEqual(done.returncode, 2)
        self.assertIn("503: there are 1 runs already", done.stderr)

    def test_misuse(self):
        for arguments, words in ((["--repeat", "0"], "--repeat must be a whole number"),
                                 (["--patience", "x"], "--patience"), (["chat"], "--only"),
                                 (["--url", "x"], "--url must be")):
            done = self.command("run", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(words, done.stderr)
        done = self.command("run", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--cancel-on-interrupt", done.stdout)

    def test_it_waits_for_those_before_it_and_not_for_those_after(self):
        self.start(solo())
        command = self.ask()
        self.assertEqual(command.state, "queued")
        last = self.ask()
        self.dance()
        self.dance()
        self.assertEqual(command.end()[0], 0)
        self.assertEqual(self.look(last.run)["totals"]["waiting"], 1)
        self.dance("failed")
        self.assertEqual(last.end()[0], 1)

    def test_the_time_is_over(self):
        self.start(solo(), config=IDLE)
        report = self.folder / "junit.xml"
        done = self.command("run", "--url", self.daemon.url, "--timeout", "300ms", "--junit",
                            report)
        self.assertEqual(done.returncode, 3)
        self.assertIn("the time is over", done.stderr)
        self.assertEqual(junit_outcome(check_junit(report.read_bytes())).kind, "skipped")

    def test_a_unix_socket(self):
        path = self.folder / "socket"
        self.start(solo(), config={**IDLE, "server": {
            "listen": f"127.0.0.1:0 unix:{path}"}}, listeners=2)
        command = self.ask(url=f"unix:{path}")
        self.dance()
        self.assertEqual(command.end()[0], 0)

    def test_it_is_cancelled(self):
        self.start(solo(), config=IDLE)
        command = self.ask()
        request(self.daemon.url, "POST", f"/runs/{command.run}/cancel", {"by": "me"})
        status, out, _ = command.end()
        self.assertEqual(status, 1)
        self.assertIn("by me", out)


class InterruptTest(CommandTest):
    def test_it_says_how_to_cancel(self):
        self.start(solo(), config=IDLE)
        command = self.ask()
        command.process.send_signal(signal.SIGINT)
        status, _, err = command.end()
        self.assertEqual(status, 128 + signal.SIGINT)
        self.assertIn(f"curl -X POST '{self.daemon.url}/runs/{command.run}/cancel'", err)
        self.assertEqual(self.look(command.run)["run"]["state"], "running")

    def test_it_cancels(self):
        self.start(solo(), config=IDLE)
        report = self.folder / "junit.xml"
        command = self.ask("--cancel-on-interrupt", "--junit", report)
        command.process.send_signal(signal.SIGTERM)
        status, out, err = command.end()
        self.assertEqual(status, 128 + signal.SIGTERM)
        self.assertIn("is cancelled", err)
        self.assertIn("by trafficlight run (127.0.0.1", out)
        self.assertEqual(self.look(command.run)["run"]["state"], "ended")
        self.assertEqual(junit_outcome(check_junit(report.read_bytes())).kind, "error")

    def test_before_there_is_a_server(self):
        command = self.beside("run", url=f"http://127.0.0.1:{free_port()}")
        command.wait_for(command.err, "tries again for 30s")
        command.process.send_signal(signal.SIGINT)
        self.assertEqual(command.end()[0], 128 + signal.SIGINT)


class RestartTest(CommandTest):
    def test_no_server(self):
        url = f"http://127.0.0.1:{free_port()}"
        for name in ("run", "wait"):
            done = self.command(name, "--url", url, "--patience", "200ms")
            self.assertEqual(done.returncode, 2)
            self.assertIn("Connection refused; tries again for 200ms", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 2)
            done = self.command(name, "--url", url, "--patience", "0")
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))

    def test_the_server_comes_later(self):
        config = self.fixed(**IDLE)
        command = self.beside("run", url=f"http://{config['server']['listen']}")
        command.wait_for(command.err, "tries again")
        self.start(solo(), config=config)
        command.wait_for(command.out, "run .*: 1 case, running")
        self.dance()
        self.assertEqual(command.end()[0], 0)

    def survive(self, how):
        config = self.fixed(**IDLE)
        self.start(solo(), config=config, expect=None)
        report = self.folder / "junit.xml"
        command = self.ask("--junit", report)
        client = self.client()
        client.expect("dance")
        self.daemon.signal(how)
        command.wait_for(command.err, "tries again for 30s")
        self.restart(config)
        client = self.again(client)
        client.act("dance", "danced")
        status, out, err = command.end()
        self.assertEqual(status, 0, out + err)
        self.assertEqual(err.count("\n"), 1)
        self.assertEqual(junit_outcome(check_junit(report.read_bytes())).kind, "success")

    def test_the_server_is_killed(self):
        self.survive(signal.SIGKILL)

    def test_the_server_is_restarted(self):
        self.survive(signal.SIGUSR1)


class WaitTest(CommandTest):
    def test_one_run(self):
        self.start(solo())
        first = self.daemon.status()["run"]["id"]
        second = request(self.daemon.url, "POST", "/runs", {}).json["id"]
        command = self.beside("wait", "--run", first)
        self.dance()
        self.assertEqual(command.end()[0], 0)
        done = self.command("wait", "--url", self.daemon.url, "--run", second, "-t", "0")
        self.assertEqual(done.returncode, 3)

    def test_a_run_that_is_forgotten(self):
        self.start(solo(), config={"timeouts": {"active-client": "200ms"}})
        first = self.daemon.status()["run"]["id"]
        self.dance("failed")
        wait_until(lambda: self.look(first)["run"]["state"] == "ended")
        request(self.daemon.url, "POST", "/runs", {})
        report = self.folder / "junit.xml"
        done = self.command("wait", "--url", self.daemon.url, "-r", first, "-j", report)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(junit_outcome(check_junit(report.read_bytes())).kind, "failure")

    def test_no_such_run(self):
        self.start(solo())
        for run, words in ((UNKNOWN, "404"), ("../x", "--run must be the id"), ("", "--run")):
            done = self.command("wait", "--url", self.daemon.url, "--run", run)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)


class Scripted(http.server.BaseHTTPRequestHandler):
    """A server that loses the first registration's answer, and knows of it when it comes again."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts += 1
        if self.server.posts == 1:
            self.close_connection = True
        else:
            self.answer(409, {"detail": "it plays a role already"})

    def do_GET(self):
        self.answer(200, {"action": "exit", "data": {"reason": "all is over"}})


class SimulateTest(CommandTest):
    def simulate(self, *arguments, **more):
        return self.beside("simulate", *arguments, **more)

    def play_over(self, how, *arguments):
        config = self.fixed(tests={"repeat": 3})
        self.start(duet(), config=config, expect=None)
        command = self.simulate("--client", "element-web=6", *arguments)
        wait_until(lambda: self.daemon.status()["totals"]["running"] == 3)
        self.restart(config, how)
        wait_until(lambda: self.daemon.status()["server"]["done"], 30, "the end")
        self.assertEqual(self.daemon.status()["totals"]["success"], 3)
        status, out, err = command.end()
        self.assertEqual(status, 0, out + err)
        self.assertIn("6 told to exit, 0 gave up", out)

    def test_while_polls_are_held(self):
        self.play_over(signal.SIGKILL, "--think", "500ms")

    def test_while_polls_come_again_and_again(self):
        self.play_over(signal.SIGKILL, "--think", "500ms", "--wait", "0.01")

    def test_a_restart_in_good_order(self):
        self.play_over(signal.SIGUSR1, "--think", "300ms..1s")

    def test_patience_ends(self):
        command = self.simulate("-c", "element-web", "--patience", "500ms",
                                url=f"http://127.0.0.1:{free_port()}")
        status, out, err = command.end()
        self.assertEqual(status, 1)
        self.assertIn("tries again", out)
        self.assertIn("gives up registering", err)

    def test_a_registration_whose_answer_was_lost(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
        server.posts = 0
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        command = self.simulate("-c", "element-web",
                                url=f"http://127.0.0.1:{server.server_address[1]}")
        status, out, err = command.end()
        self.assertEqual(status, 0, out + err)
        self.assertIn("all is over", out)


if __name__ == "__main__":
    unittest.main()
