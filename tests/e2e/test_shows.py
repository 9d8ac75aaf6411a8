# SPDX-License-Identifier: Apache-2.0
"""The whole of it: the shipped suite, many simulated clients, the command line."""
import collections
import signal
import socket
import subprocess
import time
import unittest

from harness import (COMMAND, PATIENCE, SOURCE, ServerTest, definition, does, run, solo,
                     state, wait_until)

SHIPPED = SOURCE / "contrib" / "suites" / "states" / "verify_client_test.json"


class SimulateTest(ServerTest):
    def simulate(self, *arguments):
        process = subprocess.Popen([str(COMMAND), "simulate", "--url", self.daemon.url,
                                    *arguments], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def done(self):
        return self.daemon.status()["server"]["done"]

    def test_two_hundred_clients(self):
        self.start(config={"tests": {"path": SHIPPED, "repeat": 25}})
        begun = time.monotonic()
        process = self.simulate("--client", "element-web=100", "--client",
                                "element-android=100")
        self.assertEqual(len(self.daemon.cases()), 100)
        wait_until(self.done, 30, "the end of 100 cases")
        self.assertLess(time.monotonic() - begun, 20 * PATIENCE)
        status = self.daemon.status()
        self.assertEqual((status["totals"]["cases"], status["totals"]["success"]), (100, 100))
        played = collections.Counter(
            role["client"] for suite in status["suites"] for case in suite["cases"]
            for role in case["roles"].values())
        self.assertEqual(len(played), 200)
        self.assertEqual(set(played.values()), {1})
        self.assertEqual(process.wait(20), 0)
        suite, = self.daemon.junit()
        self.assertEqual((suite.get("name"), suite.get("failures")),
                         ("states.VerifyClient", "0"))

    def test_one_client(self):
        self.start(solo())
        process = self.simulate("--client", "element-web=1")
        self.assertOutcome("success")
        self.assertEqual(process.wait(20), 0)

    def test_a_client_that_nobody_needs_is_told_to_exit_at_the_end(self):
        self.start(solo(type="element-ios"))
        process = self.simulate("--client", "element-web=2")
        wait_until(lambda: len(self.daemon.status()["clients"]) == 2)
        self.daemon.stop()
        process.wait(20)

    def test_no_server(self):
        self.start(solo())
        self.daemon.stop()
        process = self.simulate("--client", "element-web=1", "--patience", "300ms")
        said = process.stdout.read().decode()
        self.assertNotEqual(process.wait(20), 0)
        self.assertIn(self.daemon.url.removeprefix("http://"), said)


    def test_too_many_clients(self):
        for more in ("ios", "ios=1"):
            done = run(COMMAND, "simulate", "-c", "web=100000", "--client", more)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f'--client "{more}" would make 100001 clients', done.stderr)

    def test_a_big_fleet_is_stopped_at_once(self):
        with socket.socket() as taken:  # bound, but nobody listens: each is refused
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            process = subprocess.Popen(
                [str(COMMAND), "simulate", "--url", url, "--client", "element-web=20000"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.kill)
            process.stdout.readline()  # it runs
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            said = process.stdout.read()
            self.assertEqual(process.wait(20), 128 + signal.SIGTERM)
            self.assertLess(time.monotonic() - begun, 5 * PATIENCE)
            self.assertIn(b"0 told to exit, 0 gave up, 20000 stopped", said)

    def test_a_duration_that_is_over_is_no_failure(self):
        self.start(solo(type="element-ios"))
        for duration, clients in (("100ms", "2"), ("0", "1")):
            process = self.simulate("--client", f"element-web={clients}", "--duration",
                                    duration)
            self.assertIn(f"0 gave up, {clients} stopped", process.stdout.read().decode())
            self.assertEqual(process.wait(20), 0)


class WaitTest(ServerTest):
    def test_no_time_at_all_is_one_look(self):
        self.start(solo())
        for timeout in ("0", "0ms"):
            done = self.command("wait", "--url", self.daemon.url, "--timeout", timeout)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("not all cases have ended", done.stderr)
        self.client().act("dance", "danced")
        self.assertOutcome("success")
        done = self.command("wait", "--url", self.daemon.url, "--timeout", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.daemon.stop()
        done = self.command("wait", "--url", self.daemon.url, "--timeout", "0")
        self.assertEqual(done.returncode, 2, done.stderr)


class CommandTest(ServerTest):
    def test_check_takes_a_good_file(self):
        done = self.command("check", self.write_definition(solo()))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_check_refuses_a_bad_file(self):
        bad = solo()
        bad["states"]["floor"]["actions"]["red"]["responses"] = {"danced": "nowhere"}
        done = self.command("check", self.write_definition(solo()),
                            self.write_definition(bad, name="bad_test.json"))
        self.assertNotEqual(done.returncode, 0)
        said = done.stdout + done.stderr
        self.assertIn("bad_test.json", said)
        self.assertIn("nowhere", said)

    def test_graph(self):
        path = self.write_definition(definition("Graph", {
            "ballroom": state(red=does("dance", {"danced": "complete"}))}))
        for ending, start in (("svg", b"<"), ("png", b"\x89PNG"), ("dot", b"digraph")):
            with self.subTest(ending):
                out = self.folder / f"out.{ending}"
                done = self.command("graph", path, "-o", out)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(out.read_bytes().lstrip().startswith(start))
                if ending != "png":
                    self.assertIn(b"ballroom", out.read_bytes())

    def test_a_link_to_the_output_stays(self):
        path = self.write_definition(solo())
        place = self.folder / "place"
        place.mkdir()
        (place / "real.dot").write_text("old")
        link = self.folder / "link.dot"
        link.symlink_to("place/real.dot")
        done = self.command("graph", path, "-o", link)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(link.is_symlink())
        self.assertTrue((place / "real.dot").read_text().startswith("digraph"))
        self.assertEqual([file.name for file in place.iterdir()], ["real.dot"])

    def test_help_and_version(self):
        for option in ("--help", "--version"):
            done = self.command(option)
            self.assertEqual(done.returncode, 0)
            self.assertIn("trafficlight", done.stdout)

    def test_an_unknown_command(self):
        done = self.command("dance")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("dance", done.stderr)


if __name__ == "__main__":
    unittest.main()
