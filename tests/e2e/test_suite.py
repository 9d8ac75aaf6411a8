# SPDX-License-Identifier: Apache-2.0
"""All that is shipped in one run with simulated clients and stand-ins for homeservers."""
import collections
import subprocess
import time
import unittest

from harness import (COMMAND, PATIENCE, ServerTest, junit_outcome, solo, together,
                     wait_until)
from matrix_standin import Matrix
from test_catalogue import SUITES, TESTS, server_types


class SuiteTest(ServerTest):
    maxDiff = None

    def start_suites(self, *options, path=SUITES):
        self.matrices = [Matrix(name, adopt=True) for name in ("hs1", "hs2")]
        for matrix in self.matrices:
            self.addCleanup(matrix.close)
        servers = " ".join(f"{one.name}={one.url}" for one in self.matrices)
        config = {"tests": {"path": path, "wait-scale": 0.01, "strict": "yes"},
                  **{f"server-type {name}": {"servers": servers}
                     for name in server_types()}}
        self.start(config=config, options=options)

    def needed(self):
        """How many clients of each type it takes to play all cases at once."""
        return collections.Counter(pair.partition("=")[2] for case in self.daemon.cases()
                                   for pair in case["name"].split())

    def simulate(self, clients):
        process = subprocess.Popen(
            [str(COMMAND), "simulate", "--url", self.daemon.url, "--quiet",
             *[f"--client={type}={count}" for type, count in clients.items()]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def wait_done(self):
        wait_until(lambda: self.daemon.status()["server"]["done"], 50,
                   "the end of all cases")

    def test_everything_succeeds(self):
        begun = time.monotonic()
        # The server stays for seconds until everybody has fetched their exit: a client
        # that has none yet leaves time to look at the reports.
        self.write_definition(solo(type="witness"))
        self.start_suites("--once", path=[SUITES, self.suites])
        needed = self.needed()
        self.assertEqual(needed.pop("witness"), 1)
        witness = self.client("witness")
        witness.act("dance")
        process = self.simulate(needed)
        self.wait_done()
        status = self.daemon.status()
        outcomes = {f"{suite['file']}: {case['name']}": (case["state"], case["message"])
                    for suite in status["suites"] for case in suite["cases"]}
        self.assertEqual({name: outcome for name, outcome in outcomes.items()
                          if outcome != ("success", "")}, {})
        totals = status["totals"]
        self.assertEqual((totals["cases"], totals["success"]), (len(outcomes),) * 2)
        junit = self.daemon.junit()  # and it is held against its schema
        self.assertEqual(len(list(junit.iter("testcase"))), len(outcomes))
        self.assertExit(witness.poll())
        self.assertEqual(self.daemon.wait(), 0)
        self.assertEqual(process.wait(20), 0, process.stdout.read())
        self.assertLess(time.monotonic() - begun, 60 * PATIENCE)
        for matrix in self.matrices:
            self.assertEqual(matrix.violations, [])

    def test_every_test_is_there(self):
        self.start_suites()
        suites = self.daemon.status()["suites"]
        names = {(path.rpartition("/")[0] + "." + name)
                 for path, (name, *_) in TESTS.items()}
        found = {suite.get("name") for suite in self.daemon.junit()}
        self.assertEqual({name for name in found if not name.startswith("states.")},
                         names)
        files = {path.relative_to(SUITES).as_posix()
                 for path in SUITES.rglob("*_test.json")}
        self.assertEqual({suite["file"].rpartition("suites/")[2] for suite in suites},
                         files)
        self.assertLessEqual(set(TESTS), files)
        for line in self.daemon.log:  # phones can't make rooms yet, which is no mistake
            if line.startswith(("<3>", "<4>")):
                self.assertRegex(line, r"send_messages_test\.json.* not known to support")

    def test_check(self):
        done = self.command("check", SUITES)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        last = done.stdout.splitlines()[-1]
        self.assertIn(f"{len(list(SUITES.rglob('*_test.json')))} tests", last)
        self.assertIn(" 0 errors", last)

    def test_every_test_can_be_drawn(self):
        paths = sorted(SUITES.rglob("*_test.json"))
        drawn = together(*[lambda path=path: self.command("graph", path)
                           for path in paths])
        for path, done in zip(paths, drawn, strict=True):
            with self.subTest(path.name):
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout.startswith("digraph"))

    def test_clients_that_fail_now_and_then(self):
        """What does not go well is told, and the server gets to the end."""
        self.start_suites()
        needed = self.needed()
        subprocess.run([str(COMMAND), "simulate", "--url", self.daemon.url, "--quiet",
                        "--failure-rate", "0.05", "--seed", "7",
                        *[f"--client={type}={count}" for type, count in needed.items()]],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True,
                       timeout=60 * PATIENCE)
        self.wait_done()
        totals = self.daemon.status()["totals"]
        self.assertGreater(totals["failed"], 0)
        self.assertEqual(totals["error"], 0)
        junit = self.daemon.junit()
        for index, case in enumerate(self.daemon.cases()):
            kind = {"success": "success", "failed": "failure"}[case["state"]]
            self.assertEqual(junit_outcome(junit, index).kind, kind)


if __name__ == "__main__":
    unittest.main()
