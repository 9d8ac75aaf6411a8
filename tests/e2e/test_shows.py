# SPDX-License-Identifier: Apache-2.0
"""The whole of it: the shipped suite, many simulated clients, the command line."""
import collections
import subprocess
import time
import unittest

from harness import (COMMAND, PATIENCE, SOURCE, ServerTest, definition, does, solo, state,
                     wait_until)

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
        process = self.simulate("--client", "element-web=1")
        said = process.stdout.read().decode()
        self.assertNotEqual(process.wait(20), 0)
        self.assertIn(self.daemon.url.removeprefix("http://"), said)


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
