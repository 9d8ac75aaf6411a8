# SPDX-License-Identifier: Apache-2.0
"""A state folder on a disk without room: a small tmpfs in a mount namespace of our own."""
import ctypes
import os
import subprocess
import unittest

from adapters import multipart
from harness import DAEMON, ServerTest, duet, run, solo, wait_until

SIZE = 4 * 1024 * 1024
CLONE_NEWNS = 0x00020000


def own_mounts():
    """Leave the mounts of everybody else alone from now on; why that can't be, or None."""
    if os.geteuid() != 0:
        return "only root may mount a small disk"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return f"no mounts of our own: {os.strerror(ctypes.get_errno())}"
    done = subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.PIPE,
                          check=False)
    return done.stderr.decode().strip() or None if done.returncode else None


WHY_NOT = None


def setUpModule():
    global WHY_NOT
    WHY_NOT = own_mounts()


class FullTest(ServerTest):
    def setUp(self):
        super().setUp()
        if WHY_NOT:
            self.skipTest(WHY_NOT)
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs",
                               str(self.disk)], stderr=subprocess.PIPE, check=False)
        if done.returncode:
            self.skipTest(f"no small disk: {done.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.disk)], check=False)
        self.ballast = self.disk / "ballast"

    def begin(self, *definitions, **more):
        config = {"server": {"state-dir": self.disk / "state"}, **more.pop("config", {})}
        return self.start(*definitions, config=config, **more)

    def fill(self):
        """Not a byte is free."""
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    pass

    def empty(self):
        self.ballast.unlink()

    def register(self):
        """A new client, and what came of its registration."""
        made = self.client(register=False)
        return made, made.call("POST", "register", {"type": "element-web",
                                                    "filler": "x" * 20000})

    def fill_until_refused(self):
        """Gives the clients whose registration was taken, and those that were refused."""
        self.fill()
        taken, refused = [], []
        while len(refused) < 3:
            made, answer = self.register()
            if answer.status == 200:
                taken.append(made)
            else:
                self.assertProblem(answer, 503, "journal.sqlite")
                self.assertGreater(int(answer.headers["Retry-After"]), 0)
                refused.append(made)
            self.assertLess(len(taken), 1000)
        return taken, refused

    def errors(self):
        return [line for line in self.daemon.log if line.startswith("<3>")]

    def journal_errors(self):
        return [line for line in self.errors() if "journal.sqlite" in line]

    def recovered(self):
        return any("can be written again" in line for line in self.daemon.log)


class RefusingTest(FullTest):
    def test_it_refuses_and_recovers(self):
        self.begin(duet("Duet", "element-android"))
        red, green = self.client("element-android"), self.client()
        given = red.expect("dance")
        taken, refused = self.fill_until_refused()
        # what was taken is there, what was refused is not
        known = {client["id"] for client in self.daemon.status()["clients"]}
        self.assertEqual(known, {client.id for client in [red, green, *taken]})
        # reports are refused, and polls go on
        answer = red.report("danced", id=given["id"], filler="x" * 20000)
        self.assertProblem(answer, 503, "journal.sqlite")
        self.assertEqual(red.expect("dance")["id"], given["id"])
        self.assertIdle(green.poll(wait=0), 5000)
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        self.assertEqual(len(self.journal_errors()), 1, self.errors())
        self.assertIn("Make room", self.journal_errors()[0])

        self.empty()
        wait_until(self.recovered, 10, "that the journal can be written")
        self.assertTaken(red.report("danced", id=given["id"]))
        green.act("sing", "sung")
        self.assertOutcome("success")
        self.assertEqual(len(self.journal_errors()), 1, self.errors())

    def test_killed_on_the_full_disk(self):
        self.begin(duet("Duet", "element-android"), expect=None)
        red, green = self.client("element-android"), self.client()
        given = red.expect("dance")
        self.assertTaken(red.report("danced", id=given["id"]))
        taken, refused = self.fill_until_refused()
        before = self.daemon.status()
        self.daemon.kill()
        self.start(config={"server": {"state-dir": self.disk / "state"}})
        status = self.daemon.status()
        known = {client["id"] for client in status["clients"]}
        self.assertEqual(known, {client.id for client in [red, green, *taken]})
        self.assertEqual([case["machine"] for case in self.daemon.cases()],
                         [case["machine"] for suite in before["suites"]
                          for case in suite["cases"]])
        self.assertEqual(self.again(green).expect("sing")["action"], "sing")
        self.empty()
        for client in refused:
            wait_until(lambda client=client: self.again(client).call(
                "POST", "register", {"type": "element-web"}).status == 200, 10,
                "a registration that is taken")
        self.again(green).act("sing", "sung")
        self.assertOutcome("success")

    def test_a_time_out_on_the_full_disk(self):
        """It happens when there is room again, and is not lost."""
        self.begin(duet("Duet", "element-android"),
                   config={"timeouts": {"step": "2s"}})
        red, _ = self.client("element-android"), self.client()
        red.expect("dance")
        self.fill_until_refused()
        self.daemon.wait_for_log("journal.sqlite")
        self.empty()
        self.assertIn("dance", self.daemon.wait_case("error")["message"])

    def test_uploads(self):
        self.begin(solo())
        red = self.client()
        red.expect("dance")
        kind, body = multipart({"first.txt": b"there was room"})
        self.assertTaken(red.call("POST", "upload", body, {"Content-Type": kind}))
        self.fill()
        kind, body = multipart({"second.txt": b"x" * 500000})
        self.assertProblem(red.call("POST", "upload", body, {"Content-Type": kind}), 507)
        self.assertEqual(self.daemon.case()["files"], ["red_first.txt"])
        self.empty()
        kind, body = multipart({"second.txt": b"x" * 500000})
        self.assertTaken(red.call("POST", "upload", body, {"Content-Type": kind}))
        self.assertEqual(self.daemon.case()["files"], ["red_first.txt", "red_second.txt"])
        red.act("dance", "danced")
        self.assertOutcome("success")

    def test_sigterm(self):
        """It ends in time, and the next start goes on or begins anew."""
        self.begin(duet("Duet", "element-android"))
        red, _ = self.client("element-android"), self.client()
        red.expect("dance")
        self.fill_until_refused()
        self.daemon.stop(timeout=20)
        self.empty()
        self.begin()
        self.assertIn(self.daemon.case()["state"], ("running", "waiting"))


class StartTest(FullTest):
    def test_nothing_fits(self):
        self.fill()
        self.suites.mkdir()
        self.write_definition(solo())
        done = run(DAEMON, "--config", self.write_settings(
            {"server": {"state-dir": self.disk / "state"}}))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "<3>error: .*(no space|No space|full)")

    def test_the_first_run_does_not_fit(self):
        """It begins by itself when there is room."""
        self.begin(solo())
        self.daemon.stop()
        self.write_definition(solo("Large", description="x" * 600000))
        self.fill()
        os.truncate(self.ballast, self.ballast.stat().st_size - 200000)  # it can be opened
        self.begin(expect=None)
        self.daemon.wait_for_log("journal.sqlite")
        self.assertEqual([run["state"] for run in self.daemon.get("/runs").json["runs"]],
                         ["ended"])
        self.empty()
        wait_until(lambda: self.daemon.get("/runs").json["runs"][0]["state"] == "running",
                   20, "a run that goes")
        self.daemon.kill()
        self.begin()
        self.assertEqual([run["state"] for run in self.daemon.get("/runs").json["runs"]],
                         ["running", "ended"])
        for _ in range(2):
            self.client().act("dance", "danced")
        self.assertOutcome("success", index=1)


if __name__ == "__main__":
    unittest.main()
