#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kill the server again and again while clients work, and see that nothing was lost.

A daemon gets SIGKILL at random moments and is started again at once on the same state
folder, while 50 client processes (crash_clients.py) play cases and homerunner makes
servers. Then it may end in peace, and what every client was told is compared with what
the server knows. A failure says with which seed, and keeps the folder with all logs.

    crash.py [--kills N] [--seed N] [--durability process|power] [--unix] [--keep]
"""
import argparse
import json
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from http.client import HTTPException
from pathlib import Path

from harness import (DAEMON, HERE, PATIENCE, SANITIZERS, check_junit, definition, does,
                     request, settings_text, state)
from homerunner_standin import Homerunner

KINDS = ("element-web", "element-android")
ENDED = ("success", "failed", "error")
LIMIT = 4  # deployments at once
LIMIT_S = 540  # of everything
QUIET_S = 120  # that all cases may take to end after the last kill
ACTIONS = {name: {"description": "Does something.", "responses": [f"{name}_done"],
                  "data": {"text": {"type": "string"}}}
           for name in ("dance", "sing", "show")}


def rounds():
    """Red and green in turns."""
    states, names = {}, [f"round_{number}" for number in range(6)]
    for number, name in enumerate(names):
        role, action = (("red", "dance"), ("green", "sing"))[number % 2]
        states[name] = state(**{role: does(action, {
            f"{action}_done": (names + ["complete"])[number + 1]})})
    return definition("Rounds", states, {"red": [KINDS[0]], "green": [KINDS[1]]})


def together():
    """Four roles at once, and all have to report; twice."""
    roles = {"red": KINDS[0], "green": KINDS[1], "blue": KINDS[0], "white": KINDS[1]}

    def all_do(action, next):
        return state(next, **{role: does(action, [f"{action}_done"]) for role in roles})

    return definition("Together", {"first": all_do("dance", "second"),
                                   "second": all_do("sing", "complete")},
                      {role: [kind] for role, kind in roles.items()})


def story(url):
    """Steps with data: what one reports is shown to the other, and what a server said."""
    return {"name": "Story", "clients": {"red": [KINDS[0]], "green": list(KINDS)},
            "steps": [{"red": "dance", "save": "danced"},
                      {"green": "show", "data": {"text": "${danced.token}"}},
                      {"wait": "200ms"},
                      {"http": {"url": f"{url}/health"}, "save": "health"},
                      {"parallel": [{"red": "sing"}, {"green": "sing"}]},
                      {"green": "show", "data": {"text": "${health.text}"}}]}


def served(name, roles):
    """With a server of its own, made by homerunner."""
    return {"name": name, "clients": roles,
            "servers": {"type": "synapse", "names": ["server"]},
            "steps": [{role: "show", "data": {"text": "${server.cs_api}"}}
                      for role in roles for _ in range(2)]}


def definitions(url):
    made = [rounds(), together(), story(url), served("Served", {"red": [KINDS[0]]}),
            served("ServedPair", {"red": [KINDS[1]], "green": [KINDS[0]]})]
    return [{**one, "actions": ACTIONS} for one in made]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class CrashLoop:
    """One daemon after the other on one state folder."""

    def __init__(self, options):
        self.options = options
        self.dice = random.Random(options.seed)
        self.folder = Path(tempfile.mkdtemp(prefix="tl-crash-", dir="/tmp"))
        self.url = (f"unix:{self.folder}/socket" if options.unix
                    else f"http://127.0.0.1:{free_port()}")
        self.begun = time.monotonic()
        self.daemon = None
        self.started = 0  # how often
        self.ended = {}  # case id -> how it was seen to have ended
        self.runs = []  # ids of runs that were asked for, and 201 was answered
        self.wrong = []
        self.waits = random.Random(f"{options.seed} homerunner")
        self.homerunner = Homerunner("slow", lambda: self.waits.uniform(0.05, 1.5),
                                     killed=True)

    # --- what there is

    def prepare(self):
        suites = self.folder / "suites"
        suites.mkdir()
        for test in definitions(self.homerunner.url):
            path = suites / f"{test['name'].lower()}_test.json"
            path.write_text(json.dumps(test, indent=1))
        listen = self.url.removeprefix("http://")
        self.config = self.folder / "trafficlight.ini"
        self.config.write_text(settings_text({
            "server": {"listen": listen, "state-dir": self.folder / "state",
                       "durability": self.options.durability},
            "tests": {"path": suites, "repeat": self.options.repeat, "retries": 1},
            "homerunner": {"url": self.homerunner.url, "limit": LIMIT,
                           "timeout": f"{8 * PATIENCE:g}s"},
            "timeouts": {"step": f"{60 * PATIENCE:g}s",
                         "idle-client": f"{60 * PATIENCE:g}s",
                         "active-client": f"{15 * PATIENCE:g}s"},
            "server-type synapse": {"images": "complement-synapse"}}))

    def start_clients(self):
        kinds = [KINDS[number % 2] for number in range(self.options.clients)]
        with open(self.folder / "clients.log", "wb") as log:
            self.clients = subprocess.Popen(
                [sys.executable, str(HERE / "crash_clients.py"), str(self.folder), self.url,
                 str(self.options.seed), "0.02", *kinds], stdin=subprocess.PIPE, stderr=log)

    def stop_clients(self):
        self.clients.stdin.close()
        if self.clients.wait(60 * PATIENCE) != 0:
            self.complain("a client ended badly: "
                          + (self.folder / "clients.log").read_text()[-2000:])

    def start(self):
        with open(self.folder / "daemon.log", "ab") as log:
            self.daemon = subprocess.Popen(
                [str(DAEMON), "--config", str(self.config)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        self.started += 1

    def complain(self, text):
        if len(self.wrong) < 50:
            self.wrong.append(text)

    def check_alive(self):
        if self.daemon.poll() is not None:
            raise AssertionError(f"trafficlightd ended by itself with "
                                 f"{self.daemon.returncode}: see daemon.log")
        if time.monotonic() - self.begun > LIMIT_S * PATIENCE:
            raise AssertionError(f"it takes longer than {LIMIT_S * PATIENCE:g} s")

    # --- asking

    def ask(self, method, path, body=None):
        """An answer, or None if the server is not there."""
        try:
            return request(self.url, method, path, body, timeout=60)
        except Exception as problem:  # whatever a connection that breaks off looks like
            self.check_alive()
            if not isinstance(problem, (OSError, ValueError, HTTPException)):
                raise
            return None

    def get(self, path):
        """The answer; the server has to be there."""
        answer = self.ask("GET", path)
        if answer is None or answer.status != 200:
            raise AssertionError(f"GET {path}: {answer and (answer.status, answer.body)}")
        return answer

    def look(self):
        """Note which cases have ended, and see that those that had stay as they were."""
        answer = self.ask("GET", "/status.json")
        if answer is None or answer.status != 200:
            return None
        self.note_ended(answer.json)
        return answer.json

    def note_ended(self, status):
        for suite in status["suites"]:
            for case in suite["cases"]:
                if case["state"] not in ENDED:
                    if case["id"] in self.ended:
                        self.complain(f"case {case['id']} had ended "
                                      f"{self.ended[case['id']]}, and is {case['state']}")
                    continue
                now = (case["state"], case["message"], case["ended"], case["duration"])
                if self.ended.setdefault(case["id"], now) != now:
                    self.complain(f"case {case['id']} had ended {self.ended[case['id']]}, "
                                  f"and now {now}")

    def ask_for_run(self):
        answer = self.ask("POST", "/runs", {"label": f"number {len(self.runs)}"})
        if answer is not None and answer.status == 201:
            self.runs.append(answer.json["id"])

    def keep_busy(self, status):
        """There is always a run more than the one that goes."""
        totals = status["totals"]
        left = totals["waiting"] + totals["preparing"] + totals["running"]
        if left < 2 * self.options.clients // 3:
            answer = self.ask("GET", "/runs")
            if answer is not None and answer.status == 200 and not any(
                    run["state"] == "queued" for run in answer.json["runs"]):
                self.ask_for_run()

    # --- killing

    def pause(self):
        """Until the next kill: now and then so short that it does not come to serve."""
        return self.dice.choice((self.dice.uniform(0, 0.1), self.dice.uniform(0.2, 1),
                                 self.dice.uniform(0.5, 2), self.dice.uniform(0.5, 2.5)))

    def wait_and_look(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if left > 0.4 and (status := self.look()) is not None:
                self.keep_busy(status)
            time.sleep(max(0, min(0.3, end - time.monotonic())))

    def kill(self, number):
        self.wait_and_look(self.pause() * (1 + PATIENCE) / 2)
        self.check_alive()
        leaves = number % 10 == 9 and self.ask("GET", "/healthz") is not None
        self.daemon.send_signal(signal.SIGUSR1 if leaves else signal.SIGKILL)
        code = self.daemon.wait(20 * PATIENCE)
        if code != (0 if leaves else -signal.SIGKILL):
            raise AssertionError(f"trafficlightd ended with {code}: see daemon.log")
        self.start()

    def wait_for_end(self):
        """All runs come to their end, and all servers are destroyed."""
        end = time.monotonic() + QUIET_S * PATIENCE
        while time.monotonic() < end:
            self.check_alive()
            status, runs = self.look(), self.ask("GET", "/runs")
            if status and runs and runs.status == 200 and all(
                    run["state"] == "ended" for run in runs.json["runs"]) and not (
                    self.homerunner.deployments or self.homerunner.creating):
                return
            time.sleep(0.2)
        self.complain(f"not all has ended {QUIET_S * PATIENCE:g} s after the last kill: "
                      f"{runs and runs.body[:500]}; "
                      f"deployments left: {sorted(self.homerunner.deployments)}")

    # --- judging

    def read_notes(self):
        notes = []
        for path in sorted(self.folder.glob("client-*.log")):
            notes += [json.loads(line) for line in path.read_text().splitlines()]
        return notes

    def read_cases(self):
        """The documents of all cases of all runs."""
        documents = []
        for run in self.get("/runs").json["runs"]:
            status = self.get(f"/runs/{run['id']}/status.json").json
            self.note_ended(status)
            cases = [case for suite in status["suites"] for case in suite["cases"]]
            if run["state"] != "ended" or not status["server"]["done"]:
                self.complain(f"run {run['id']} is {run['state']}")
            self.check_junit(run["id"], cases)
            documents += [self.get(f"/status/{case['id']}/status.json").json
                          for case in cases]
        return documents

    def check_junit(self, run, cases):
        root = check_junit(self.get(f"/runs/{run}/junit.xml").body)
        names = Counter((one.get("classname"), one.get("name"))
                        for one in root.iter("testcase"))
        if len(names) != len(cases) or max(names.values()) > 1:
            self.complain(f"junit.xml of run {run} has {len(names)} names for {len(cases)} "
                          f"cases: {names.most_common(3)}")

    def check_outcomes(self, documents):
        counts = Counter(case["state"] for case in documents)
        for case in documents:
            if case["state"] not in ENDED or not case["ended"]:
                self.complain(f"case {case['id']} has not ended: {case['state']}")
            turns = case.get("attempts") or [case]
            for turn in turns:
                if turn["state"] not in ("success", "failed"):
                    self.complain(f"case {case['id']}: {turn['state']}: {turn['message']}")
                if turn["transcript_dropped"]:
                    self.complain(f"case {case['id']}: its transcript is too long")
        missing = set(self.ended) - {case["id"] for case in documents}
        if missing:
            self.complain(f"{len(missing)} cases had ended and are unknown: "
                          f"{sorted(missing)[:3]}")
        return counts

    def check_reports(self, notes, documents):
        """Each report that was taken stands in a transcript once, and no other does."""
        seen = Counter()
        for case in documents:
            for turn in case.get("attempts") or [case]:
                for line in turn["transcript"]:
                    if line["kind"] == "response":
                        seen.update(re.findall(r'"token": ?"([0-9a-f]+)"', line["text"]))
        sent = {note["token"] for note in notes if note["what"] == "reports"}
        taken = {note["token"] for note in notes
                 if note["what"] == "reported" and note["status"] == 200}
        refused = {note["token"] for note in notes
                   if note["what"] == "reported" and note["status"] != 200}
        again = {note["token"] for note in notes if note["what"] == "repeated"}
        for what, tokens in (
                ("were acknowledged and are lost", taken - set(seen)),
                ("are there twice", {token for token in seen if seen[token] > 1}),
                ("were refused, and are there", refused & set(seen)),
                ("repeated another, and are there", again & set(seen)),
                ("were never sent", set(seen) - sent)):
            if tokens:
                self.complain(f"{len(tokens)} reports {what}: {sorted(tokens)[:5]}")
        return taken

    def check_uploads(self, notes, documents):
        """Each file that was taken is listed once, and a few are read."""
        places = {}
        for case in documents:
            turns = case.get("attempts") or [case]
            for number, turn in enumerate(turns, 1):
                for name in turn["files"]:
                    places.setdefault(name.split("_", 1)[1], []).append(
                        f"/status/{case['id']}/files/{name}?attempt={number}")
        taken = [note["token"] for note in notes
                 if note["what"] == "uploaded" and note["status"] == 200]
        for token in taken:
            found = places.get(f"{token}.txt", [])
            if len(found) != 1:
                self.complain(f"the file {token}.txt is there {len(found)} times")
            elif self.get(found[0]).body != (token * 100).encode():
                self.complain(f"the file {token}.txt has changed: {found[0]}")
        return taken

    def check_clients(self, notes, documents):
        known = {client["id"] for client in self.get("/status.json").json["clients"]}
        for case in documents:
            for turn in case.get("attempts") or [case]:
                known |= {role["client"] for role in turn["roles"].values()}
        registered = {note["client"] for note in notes if note["what"] == "registered"}
        lost = registered - known
        if lost:
            self.complain(f"{len(lost)} clients registered, and are unknown: "
                          f"{sorted(lost)[:5]}")
        for note in notes:
            if note["what"] == "wrong":
                self.complain(f"client {note['client']}: {note['text']}")
            if note["what"] == "exit" and "not registered" in note["reason"]:
                self.complain(f"client {note['client']} was told: {note['reason']}")
        return registered

    def check_runs(self):
        ids = Counter(run["id"] for run in self.get("/runs").json["runs"])
        for run in self.runs:
            if ids[run] != 1:
                self.complain(f"run {run} was made, and is there {ids[run]} times")
        if max(ids.values()) > 1:
            self.complain(f"a run is there twice: {ids}")

    def check_homerunner(self):
        for violation in self.homerunner.violations:
            self.complain(f"homerunner: {violation}")

    def check_log(self):
        text = (self.folder / "daemon.log").read_text(errors="replace")
        for line in text.splitlines():
            if re.match(r"<3>|error:", line) or any(word in line for word in SANITIZERS):
                self.complain(f"the log says: {line}")

    def judge(self):
        notes = self.read_notes()
        documents = self.read_cases()
        counts = self.check_outcomes(documents)
        taken = self.check_reports(notes, documents)
        files = self.check_uploads(notes, documents)
        registered = self.check_clients(notes, documents)
        lost = sum(note.get("lost", 0) > 0 for note in notes)
        self.check_runs()
        print(f"{len(documents)} cases of {len(self.runs) + 1} runs: "
              + ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
              + f"; {len(registered)} registrations, {len(taken)} reports and "
              f"{len(files)} files taken, {lost} requests asked again; "
              f"{len(self.homerunner.created)} deployments, "
              f"{self.homerunner.most_at_once} at once", flush=True)

    # --- all of it

    def play(self):
        self.prepare()
        self.start()
        self.start_clients()
        for number in range(self.options.kills):
            self.kill(number)
        killed = time.monotonic() - self.begun
        self.wait_for_end()
        self.stop_clients()
        self.judge()
        print(f"{self.options.kills} kills in {killed:.0f} s, "
              f"{time.monotonic() - self.begun:.0f} s in all", flush=True)

    def end(self):
        """Nothing of ours goes on."""
        for process in (self.daemon, getattr(self, "clients", None)):
            if process is not None and process.poll() is None:
                process.stdin and process.stdin.close()
                process.kill() if process is self.daemon else process.wait(60 * PATIENCE)
                process.wait()
        self.homerunner.close()

    def run(self):
        """Gives what was wrong, in lines."""
        try:
            self.play()
            self.daemon.send_signal(signal.SIGTERM)
            if self.daemon.wait(30 * PATIENCE) != 0:
                self.complain(f"SIGTERM: trafficlightd ended with {self.daemon.returncode}")
        except Exception:  # whatever it was, the folder and the seed are told
            self.complain(traceback.format_exc())
        finally:
            self.end()
        self.check_homerunner()
        self.check_log()
        if self.wrong:
            self.wrong.append(f"seed {self.options.seed}, after {self.started} starts; the "
                              f"logs and the state folder are kept: {self.folder}")
        elif not self.options.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        return self.wrong


def options(*arguments):
    parser = argparse.ArgumentParser(description="Kill the server again and again.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=12, help="cases of a kind in a run")
    parser.add_argument("--durability", choices=("process", "power"), default="process")
    parser.add_argument("--unix", action="store_true", help="listen on a unix socket")
    parser.add_argument("--keep", action="store_true", help="keep the folder in any case")
    return parser.parse_args(arguments)


def main():
    chosen = options(*sys.argv[1:])
    print(f"seed {chosen.seed}", flush=True)
    wrong = CrashLoop(chosen).run()
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
