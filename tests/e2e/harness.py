# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on: the real daemon on a free port, clients that speak
its protocol, definitions and settings in a temporary folder, JUnit that is checked.

Nothing here waits by the clock: wait_until() looks again until a deadline. Deadlines are
multiplied by E2E_PATIENCE (for sanitizers and valgrind). The programs are taken from
top_builddir, the data from top_srcdir; both are the root of the tree by default.
"""
import concurrent.futures
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid
import xml.etree.ElementTree as ElementTree
from collections import namedtuple
from pathlib import Path

import schemas
from homerunner_standin import Homerunner

HERE = Path(__file__).resolve().parent
SOURCE = Path(os.environ.get("top_srcdir") or HERE.parent.parent).resolve()
BUILD = Path(os.environ.get("top_builddir") or SOURCE).resolve()
DAEMON = BUILD / "src" / "trafficlightd"
COMMAND = BUILD / "src" / "trafficlight"
SCHEMA = SOURCE / "tests" / "junit.xsd"
PATIENCE = float(os.environ.get("E2E_PATIENCE") or 1)

SANITIZERS = ("ERROR: AddressSanitizer", "LeakSanitizer", "runtime error",
              "WARNING: ThreadSanitizer", "UndefinedBehaviorSanitizer")
LISTENING = re.compile(r"listening on (\S+)")
# exec keeps an alarm: whatever happens to us, the program ends.
WITH_ALARM = ("import os, signal, sys; signal.alarm(int(sys.argv[1])); "
              "os.execv(sys.argv[2], sys.argv[2:])")
# The same, after sockets were handed over as systemd does it: from descriptor 3 on, to this
# process, which exec keeps, too.
WITH_SOCKETS = """
import fcntl, os, signal, sys
signal.alarm(int(sys.argv[1]))
safe = [fcntl.fcntl(int(n), fcntl.F_DUPFD_CLOEXEC, 100) for n in sys.argv[2].split(",")]
for i, number in enumerate(safe):
    os.dup2(number, 3 + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(safe)))
os.execv(sys.argv[3], sys.argv[3:])
"""


def wait_until(predicate, timeout=10, what="what was waited for"):
    """Look until predicate() gives something true, and give that."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        found = predicate()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {timeout * PATIENCE:g} s")
        time.sleep(0.01)


def together(*calls):
    """Run all calls at once, each on a thread; their results in order."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(calls))) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def later(call, *arguments):
    """Run a call on a thread of its own; gives its future."""
    future = concurrent.futures.Future()

    def run():
        try:
            future.set_result(call(*arguments))
        except BaseException as problem:  # the future's owner hears of it
            future.set_exception(problem)

    threading.Thread(target=run, daemon=True).start()
    return future


# --- the daemon


class Daemon:
    """A running trafficlightd. It is killed when its lifetime (seconds) is over. It is handed
    `sockets`, if any, and finds these variables more in its environment."""

    def __init__(self, *options, listeners=1, lifetime=90, sockets=(), environment=None):
        lifetime = int(lifetime * PATIENCE)
        self.log = []
        self.overstayed = False
        self._news = threading.Condition()
        numbers = [sock.fileno() for sock in sockets]
        start = [WITH_SOCKETS if numbers else WITH_ALARM, str(lifetime + 10)]
        start += [",".join(map(str, numbers))] if numbers else []
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", *start, str(DAEMON), *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=numbers, env={**os.environ, **(environment or {})})
        self.pid = self.process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._watchdog = threading.Timer(lifetime, self._kill_overstayed)
        self._watchdog.daemon = True
        self._watchdog.start()
        self.urls = [m.group(1) for m in self._wait_listening(listeners)]
        self.url = self.urls[0] if self.urls else None

    def _read(self):
        for line in self.process.stderr:
            with self._news:
                self.log.append(line.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        self.process.stderr.close()
        with self._news:
            self._news.notify_all()

    def _kill_overstayed(self):
        if self.process.poll() is None:
            self.overstayed = True
            os.kill(self.pid, signal.SIGKILL)

    def _wait_listening(self, count):
        def lines():
            found = [m for m in map(LISTENING.search, list(self.log)) if m]
            if len(found) >= count:
                return found
            if self.process.poll() is not None:
                self._reader.join(5)
                raise AssertionError("trafficlightd ended before it listened, with "
                                     f"{self.process.returncode}:\n{self.log_text()}")
            return None

        try:
            return wait_until(lines, 20, "the line 'listening on'") if count else []
        except AssertionError:
            self.kill()
            raise

    def log_text(self):
        return "\n".join(list(self.log))

    def wait_for_log(self, pattern, timeout=10):
        """Wait for a line that the regular expression is found in; gives the line."""
        deadline = time.monotonic() + timeout * PATIENCE
        seen = 0
        with self._news:
            while True:
                for line in self.log[seen:]:
                    if re.search(pattern, line):
                        return line
                seen = len(self.log)
                left = deadline - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    raise AssertionError(
                        f"no log line has {pattern!r}:\n" + "\n".join(self.log))
                self._news.wait(min(left, 1))

    def signal(self, number=signal.SIGTERM):
        os.kill(self.pid, number)

    def kill(self):
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        self._watchdog.cancel()
        self._reader.join(5)

    def wait(self, timeout=15):
        """Wait for it to end by itself; gives the exit code."""
        try:
            code = self.process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"trafficlightd had not ended after {timeout * PATIENCE:g}"
                                 f" s:\n{self.log_text()}") from None
        self._watchdog.cancel()
        self._reader.join(5)
        self.check_log()
        if self.overstayed:
            raise AssertionError(f"trafficlightd outlived its time:\n{self.log_text()}")
        return code

    def stop(self, expect=0, timeout=15):
        """SIGTERM (if it still runs), and it has to end with that code, in that time."""
        if self.process.poll() is None:
            self.signal()
        code = self.wait(timeout)
        if code != expect:
            raise AssertionError(
                f"trafficlightd ended with {code}, not {expect}:\n{self.log_text()}")

    def check_log(self):
        text = self.log_text()
        if any(word in text for word in SANITIZERS):
            raise AssertionError(f"a sanitizer has something to say:\n{text}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    # --- what people and tools see

    def get(self, path, **more):
        return request(self.url, "GET", path, **more)

    def status(self):
        answer = self.get("/status.json")
        if answer.status != 200:
            raise AssertionError(f"/status.json gave {answer.status}: {answer.body!r}")
        return answer.json

    def cases(self):
        """All cases, in the order of /status.json."""
        return [case for suite in self.status()["suites"] for case in suite["cases"]]

    def case(self, index=0):
        return self.cases()[index]

    def client(self, identifier):
        """What /status.json says of a client, or None."""
        for client in self.status()["clients"]:
            if client["id"] == identifier:
                return client
        return None

    def wait_case(self, *states, index=0, timeout=10):
        """Wait until the case is in one of these states; gives the case."""
        def reached():
            case = self.case(index)
            return case if case["state"] in states else None

        return wait_until(reached, timeout, f"case {index} in state {' or '.join(states)}")

    def wait_parked(self, client):
        """Wait until the daemon has seen the poll of a client that never polled before."""
        wait_until(lambda: self.client(client.id)["last_polled"], 10, "a poll")

    def junit(self):
        """/status/junit.xml, checked; gives the root."""
        answer = self.get("/status/junit.xml")
        if answer.status != 200 or "xml" not in answer.headers["Content-Type"]:
            raise AssertionError(f"junit.xml: {answer.status} {answer.headers}")
        return check_junit(answer.body)


def run(program, *arguments, timeout=20, **more):
    """Run a program of ours to its end; gives its CompletedProcess with text."""
    done = subprocess.run([str(program), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", timeout=timeout * PATIENCE, check=False, **more)
    if any(word in done.stderr for word in SANITIZERS):
        raise AssertionError(f"a sanitizer has something to say:\n{done.stderr}")
    return done


# --- HTTP


class Answer(namedtuple("Answer", "status headers body")):
    __slots__ = ()

    @property
    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def connection(url, timeout=30):
    if url.startswith("unix:"):
        return UnixConnection(url[len("unix:"):], timeout * PATIENCE)
    parts = urllib.parse.urlsplit(url)
    return http.client.HTTPConnection(parts.hostname, parts.port,
                                      timeout=timeout * PATIENCE)


def exchange(link, method, path, body=None, headers=None):
    """One request on a connection. A dict or list as body is sent as JSON, an iterator in
    chunks."""
    headers = dict(headers or {})
    said = body if isinstance(body, dict) else None
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    if isinstance(body, str):
        body = body.encode()
    chunked = body is not None and not isinstance(body, bytes)
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    link.request(method, path, body=body, headers=headers, encode_chunked=chunked)
    reply = link.getresponse()
    answer = Answer(reply.status, reply.headers, reply.read())
    if answer.status == 200:
        check_messages(path, said, answer)
    return answer


def check_messages(path, said, answer):
    """What was said and taken, and what was answered, is as the shipped schema describes it."""
    parts = {"register": "registration", "report": "report", "respond": "report",
             "error": "error"}
    found = re.fullmatch(r"/client/[^/]+/(poll|register|report|respond|error)(\?.*)?", path)
    if not found:
        return
    if found[1] == "poll":
        wrong = schemas.mistakes(json.loads(answer.body), "messages", "poll_answer")
        assert not wrong, (wrong, answer.body[:500])
    elif said is not None and isinstance(said.get("response", ""), str):
        wrong = schemas.mistakes(said, "messages", parts[found[1]])
        assert not wrong, (wrong, said)


def request(url, method, path, body=None, headers=None, timeout=30):
    """One request on a connection of its own."""
    link = connection(url, timeout)
    try:
        return exchange(link, method, path, body, headers)
    finally:
        link.close()


def raw_socket(url, timeout=10):
    parts = urllib.parse.urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout * PATIENCE)


def read_all(sock):
    """All that comes until the other side ends, resets or says nothing for too long."""
    received = b""
    try:
        while piece := sock.recv(65536):
            received += piece
    except OSError:
        pass
    return received


def send_raw(url, data, end=False, timeout=5):
    """Send these bytes (and end our half), and give whatever is answered."""
    with raw_socket(url, timeout) as sock:
        try:
            sock.sendall(data)
            if end:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it need not listen to the end
        return read_all(sock)


# --- clients

VERIFY_ANSWERS = {"register": "registered", "login": "loggedin",
                  "start_crosssign": "started_crosssign",
                  "accept_crosssign": "accepted_crosssign",
                  "verify_crosssign_emoji": "verified_crosssign"}


class Client:
    """A client under test with its adapter, on a kept-alive connection of its own."""

    def __init__(self, url, type="element-web", id=None):
        self.url = url
        self.type = type
        self.id = id or str(uuid.uuid4())
        self.link = connection(url)

    def close(self):
        self.link.close()

    def call(self, method, verb, body=None, headers=None, query=""):
        return exchange(self.link, method, f"/client/{self.id}/{verb}{query}", body, headers)

    def register(self, **members):
        answer = self.call("POST", "register", {"type": self.type, **members})
        if answer.status != 200:
            raise AssertionError(f"register: {answer.status} {answer.body!r}")
        return self

    def poll_answer(self, wait=None, prefer=None):
        headers = {"Prefer": prefer} if prefer else {}
        return self.call("GET", "poll", None, headers,
                         "" if wait is None else f"?wait={wait}")

    def poll(self, wait=5, prefer=None):
        """Poll once; gives the action."""
        answer = self.poll_answer(wait, prefer)
        if answer.status != 200:
            raise AssertionError(f"a poll got {answer.status}: {answer.body!r}")
        action = answer.json
        if not isinstance(action.get("data"), dict):
            raise AssertionError(f"data must always be an object: {action}")
        return action

    def report(self, response=None, **members):
        body = dict(members) if response is None else {"response": response, **members}
        return self.call("POST", "report", body)

    def error(self, type="action", details="it broke", path="client.py:1"):
        return self.call("POST", "error",
                         {"error": {"type": type, "details": details, "path": path}})

    def expect(self, action, timeout=10):
        """Poll until there is something to do; it has to be this action."""
        deadline = time.monotonic() + timeout * PATIENCE
        while True:
            found = self.poll(wait=2)
            if found["action"] != "idle" or time.monotonic() > deadline:
                break
        if found["action"] != action:
            raise AssertionError(f"{self.id} wanted {action!r} and got {found}")
        return found

    def act(self, action, response=None, **members):
        """Wait for this action and report; gives the action."""
        found = self.expect(action)
        answer = self.report(response, **members)
        if answer.status != 200:
            raise AssertionError(f"report: {answer.status} {answer.body!r}")
        return found

    def expect_exit(self, timeout=10):
        """Poll until told to exit; gives the reason."""
        return self.expect("exit", timeout)["data"].get("reason")

    def play(self, answers=None, timeout=30):
        """The loop that every adapter has: gives the actions it was given, exit not."""
        answers = VERIFY_ANSWERS if answers is None else answers
        deadline = time.monotonic() + timeout * PATIENCE
        done = []
        while time.monotonic() < deadline:
            found = self.poll()
            if found["action"] == "exit":
                return done
            if found["action"] == "idle":
                continue
            done.append(found["action"])
            self.report(answers[found["action"]])
        raise AssertionError(f"{self.id} was not told to exit; it did {done}")


# --- definitions and settings

# Known in every definition that definition() makes; the shipped dictionary has none of
# these names.
OWN_ACTIONS = {
    "dance": {"description": "Moves to music.", "data": {"tune": {"type": "string"}},
              "responses": ["danced", "waltzed"],
              "types": ["element-web", "element-android"]},
    "sing": {"description": "Makes music.", "data": {"song": {"type": "string"}},
             "responses": ["sung"], "types": ["element-web", "element-android"]},
    "show": {"description": "Shows what it was given.",
             "data": {"text": {"type": "string"}, "thing": {"type": "object"}},
             "responses": ["shown"], "types": ["element-web", "element-android"]},
}

def definition(name, states, clients=None, initial=None, **more):
    """A test; `clients` is {"red": ["element-web"]} where nothing is said."""
    return {"name": name, "clients": clients or {"red": ["element-web"]},
            "actions": OWN_ACTIONS, "initial": initial or next(iter(states)),
            "states": states, **more}


def state(next=None, **actions):
    """A state: state(red=does("dance", …), next="complete")."""
    return {"actions": actions, **({"next": next} if next else {})}


def does(action, responses=None, **more):
    return {"action": action, **({} if responses is None else {"responses": responses}),
            **more}


def solo(name="Solo", type="element-web", **more):
    """The smallest test: red dances, and that is all."""
    return definition(name, {"floor": state(red=does("dance", {"danced": "complete"}))},
                      {"red": [type] if isinstance(type, str) else type}, **more)


def duet(name="Duet", red="element-web", green="element-web", **more):
    """Red dances while green has nothing to do, then green sings."""
    return definition(name, {"floor": state(red=does("dance", {"danced": "stage"})),
                             "stage": state(green=does("sing", {"sung": "complete"}))},
                      {"red": [red], "green": [green]}, **more)


def verify_client(red=("element-web",), green=("element-web",)):
    """One login verifies another by emoji: red has the first, green the second."""
    emoji = "verify_crosssign_emoji"
    checked = "verified_crosssign"
    states = {
        "init_r": state(red=does("register", {"registered": "init_g"})),
        "init_g": state(green=does("login", {"logged_in": "start_crosssign"}, data={
            "username": "${red.localpart}", "password": "${red.password}"})),
        "start_crosssign": state(
            green=does("start_crosssign", {"started_crosssign": "accept_crosssign"})),
        "accept_crosssign": state(
            red=does("accept_crosssign", {"accepted_crosssign": "verify_rg"})),
        "verify_rg": state(red=does(emoji, {checked: "verify_g"}),
                           green=does(emoji, {checked: "verify_r"})),
        "verify_r": state(red=does(emoji, {checked: "complete"})),
        "verify_g": state(green=does(emoji, {checked: "complete"})),
    }
    return {"name": "VerifyClient", "clients": {"red": list(red), "green": list(green)},
            "servers": {"type": "synapse", "names": ["server"]},
            "initial": "init_r", "states": states}


def settings_text(settings):
    """INI from {section: {key: value or list of values}}; None leaves a key out."""
    lines = []
    for section, keys in settings.items():
        lines.append(f"[{section}]")
        for key, values in keys.items():
            for value in values if isinstance(values, (list, tuple)) else [values]:
                if value is not None:
                    lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


# --- JUnit


def validate_junit(document):
    """What xmllint has against the document; None if nothing."""
    if not shutil.which("xmllint"):
        raise unittest.SkipTest("xmllint is missing: apt-get install libxml2-utils")
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--huge", "--schema",
                           str(SCHEMA), "-"], input=document, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30 * PATIENCE, check=False)
    return None if done.returncode == 0 else done.stdout.decode(errors="replace")


def junit_sums(root):
    """Counts in the document that do not add up, in words."""
    wrong = []

    def compare(element, name, count):
        if element.get(name) != str(count):
            wrong.append(f"{element.tag} {element.get('name')}: {name} is "
                         f"{element.get(name)}, counted {count}")

    for suite in root:
        compare(suite, "tests", len(suite.findall("testcase")))
        for name, tag in (("failures", "failure"), ("errors", "error"),
                          ("skipped", "skipped")):
            compare(suite, name, len([c for c in suite if c.find(tag) is not None]))
    for name in ("tests", "failures", "errors"):
        compare(root, name, sum(int(suite.get(name)) for suite in root))
    return wrong


def check_junit(document):
    """Well-formed, true to the schema, counts that add up; gives the root."""
    root = ElementTree.fromstring(document)
    wrong = validate_junit(document)
    if wrong:
        raise AssertionError(f"junit.xml breaks its schema:\n{wrong}\n{document.decode()}")
    if junit_sums(root):
        raise AssertionError("junit.xml: " + "; ".join(junit_sums(root)))
    return root


Outcome = namedtuple("Outcome", "kind words transcript")


def junit_outcome(root, which=0):
    """How a case (by name or index) came out: success, skipped, failure or error."""
    for index, case in enumerate(root.iter("testcase")):
        if which not in (index, case.get("name")):
            continue
        transcript = "".join(e.text or "" for e in case.findall("system-out"))
        for kind in ("skipped", "failure", "error"):
            found = case.find(kind)
            if found is not None:
                words = f"{found.get('message')}\n{found.text or ''}"
                return Outcome(kind, words, transcript)
        return Outcome("success", "", transcript)
    raise AssertionError(f"junit.xml has no case {which!r}")


# --- the tests' own base


class ServerTest(unittest.TestCase):
    """A temporary folder, and daemons that are stopped and judged when a test ends."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tl-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.suites = self.folder / "suites"
        self.daemon = None
        self._daemons = []

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for daemon in getattr(self, "_daemons", []):
                print(f"--- {self.id()}: the log of trafficlightd {daemon.pid}\n"
                      f"{daemon.log_text()}\n---", file=sys.stderr)
        return result

    # --- files

    def write_definition(self, content, folder="e2e", name=None):
        """Write a test (a dict, or text as it is) among the suites; gives its path."""
        place = self.suites / folder
        place.mkdir(parents=True, exist_ok=True)
        if name is None:
            name = f"{len(list(place.iterdir())):02d}_{content['name'].lower()}_test.json"
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        (place / name).write_text(text)
        return place / name

    def settings(self, changes=None):
        """The settings that tests start from, with changes: {section: {key: value}}."""
        settings = {"server": {"listen": "127.0.0.1:0", "state-dir": self.folder / "state"},
                    "tests": {"path": self.suites},
                    "server-type synapse": {"servers": "hs1=http://localhost:8008"}}
        for section, keys in (changes or {}).items():
            settings.setdefault(section, {}).update(keys)
        return settings

    def write_settings(self, changes=None, text=None, name="trafficlight.ini"):
        path = self.folder / name
        path.write_text(settings_text(self.settings(changes)) if text is None else text)
        return path

    # --- what runs

    def start(self, *definitions, config=None, options=(), listeners=1, expect=0,
              stop_timeout=15, lifetime=90, **more):
        """Start trafficlightd on these tests. Its end is checked when the test ends:
        with code `expect`, or not at all where that is None."""
        if not DAEMON.exists():
            raise AssertionError(f"{DAEMON} is not there: build it first (make)")
        self.suites.mkdir(exist_ok=True)
        for content in definitions:
            self.write_definition(content)
        self.daemon = Daemon("--config", self.write_settings(config), *options,
                             listeners=listeners, lifetime=lifetime, **more)
        self._daemons.append(self.daemon)
        if expect is None:
            self.addCleanup(self.daemon.kill)
        else:
            self.addCleanup(self.daemon.stop, expect, stop_timeout)
        return self.daemon

    def client(self, type="element-web", register=True, daemon=None, id=None, **members):
        """A client of the daemon, registered."""
        made = Client((daemon or self.daemon).url, type, id)
        self.addCleanup(made.close)
        return made.register(**members) if register else made

    def again(self, client):
        """The same client on another connection."""
        return self.client(client.type, register=False, id=client.id)

    def pair(self, red="element-web", green="element-web"):
        """Two clients that fill red and green of the first case."""
        return self.client(red), self.client(green)

    def homerunner(self, *arguments, **more):
        """A stand-in for homerunner, closed when the test ends."""
        made = Homerunner(*arguments, **more)
        self.addCleanup(made.close)
        return made

    def command(self, *arguments, **more):
        """Run the `trafficlight` command to its end."""
        return run(COMMAND, *arguments, **more)

    # --- what has to hold

    def assertProblem(self, answer, status, *words):
        """The answer is a problem document with that status, and has these words."""
        self.assertEqual(answer.status, status, answer.body[:500])
        self.assertRegex(answer.headers["Content-Type"] or "", r"^application/problem\+json")
        problem = answer.json
        for member in ("type", "title", "detail"):
            self.assertIsInstance(problem.get(member), str, problem)
            self.assertTrue(problem[member].strip(), problem)
        self.assertEqual(problem.get("status"), status, problem)
        for word in words:
            self.assertIn(word, problem["detail"])

    def assertTaken(self, answer):
        self.assertEqual(answer.status, 200, answer.body[:500])
        self.assertRegex(answer.headers["Content-Type"] or "", r"^application/json")
        self.assertEqual(answer.json, {})

    def assertIdle(self, action, delay):
        self.assertEqual(action["action"], "idle", action)
        self.assertEqual(action["data"]["delay"], delay)
        self.assertNotIsInstance(action["data"]["delay"], bool)
        self.assertIsInstance(action["data"]["reason"], str)

    def assertExit(self, action):
        self.assertEqual(action["action"], "exit", action)
        self.assertIsInstance(action["data"].get("reason"), str, action)
        self.assertTrue(action["data"]["reason"], action)

    def assertOutcome(self, kind, *words, index=0):
        """The case came out so, in status.json and in JUnit, with these words in both."""
        states = {"success": "success", "failure": "failed", "error": "error"}
        case = self.daemon.wait_case(states[kind], index=index)
        outcome = junit_outcome(self.daemon.junit(), index)
        self.assertEqual(outcome.kind, kind, outcome.words)
        for word in words:
            whole = rf"(?i)(?<!\w){re.escape(word)}(?!\w)"
            self.assertRegex(case["message"], whole)
            self.assertRegex(outcome.words, whole)
        return case
