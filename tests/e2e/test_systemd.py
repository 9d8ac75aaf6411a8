# SPDX-License-Identifier: Apache-2.0
"""trafficlightd as a service: what systemd hears, sockets that it holds, SIGHUP. The test
is systemd."""
import os
import re
import signal
import socket
import time

from harness import (BUILD, PATIENCE, ServerTest, later, raw_socket, read_all, request, solo,
                     wait_until)

HEALTH = b"GET /healthz HTTP/1.0\r\n\r\n"


def knows_systemd():
    return re.search(r"^#define HAVE_LIBSYSTEMD 1$", (BUILD / "autoconf.h").read_text(), re.M)


class ServiceTest(ServerTest):
    """Started as systemd starts a service, and heard as systemd hears one."""

    def setUp(self):
        super().setUp()
        if not knows_systemd():
            self.skipTest("built without libsystemd")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notify.close)
        self.notify.bind(f"{self.folder}/notify")
        self.notify.settimeout(20 * PATIENCE)

    def serve(self, *definitions, environment=None, **more):
        return self.start(*(definitions or [solo()]), environment={
            "NOTIFY_SOCKET": f"{self.folder}/notify", **(environment or {})}, **more)

    def hear(self, *passed_over):
        """The lines of the next message that does not begin with one of these words."""
        while True:
            message = self.notify.recv(8192).decode()
            if not message.startswith(passed_over or ("\n",)):
                return message.split("\n")

    def listener(self, address="127.0.0.1"):
        """A listening socket, blocking as sockets are; a path is one of AF_UNIX."""
        is_path = address.startswith("/")
        made = socket.socket(socket.AF_UNIX if is_path else socket.AF_INET)
        self.addCleanup(made.close)
        made.bind(address if is_path else (address, 0))
        made.listen(20)
        return made

    def reload(self, changes=None, text=None):
        """Write the configuration anew and have it read."""
        seen = len(self.daemon.log)
        self.write_settings(changes, text)
        self.daemon.signal(signal.SIGHUP)

        def lines():
            said = self.daemon.log[seen:]
            ended = [line for line in said if "the configuration was read anew" in line
                     or "the configuration stays as it was" in line]
            return said if ended else None

        return "\n".join(wait_until(lines, 20, "the end of a reload"))


class NotifyTest(ServiceTest):
    def test_ready_and_stopping(self):
        self.serve()
        self.assertCountEqual([self.hear(), self.hear()],
                              [["READY=1"], ["STATUS=0 of 1 cases done, 0 clients waiting"]])
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        client = self.client()
        client.expect("dance")
        client.report("danced")
        while self.hear() != ["STATUS=1 of 1 cases done, 0 clients waiting"]:
            pass
        self.daemon.stop()
        self.assertEqual(self.hear("STATUS"), ["STOPPING=1"])

    def test_watchdog(self):
        self.serve(environment={"WATCHDOG_USEC": "200000"})
        heard = [self.hear("STATUS")]
        while heard[-1] == ["WATCHDOG=1"]:  # a start may take its time
            heard.append(self.hear("STATUS"))
        self.assertEqual(heard[-1], ["READY=1"])
        for _ in range(3):
            self.assertEqual(self.hear("STATUS"), ["WATCHDOG=1"])

    def test_not_ready_when_it_does_not_start(self):
        taken = self.listener()
        with self.assertRaises(AssertionError):
            self.serve(config={"server": {"listen": "127.0.0.1:%d" % taken.getsockname()[1]}})
        self.notify.setblocking(False)
        self.assertRaises(BlockingIOError, self.hear, "STATUS")


class SocketTest(ServiceTest):
    def test_who_came_before_is_answered(self):
        held = self.listener()
        url = "http://127.0.0.1:%d" % held.getsockname()[1]
        with raw_socket(url) as early:
            early.sendall(HEALTH)
            self.serve(sockets=[held])
            self.assertIn(b"200", read_all(early))
        self.assertEqual(self.daemon.url, url)
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        self.daemon.wait_for_log(r"\[server\] listen is not used: 1 socket was handed over")

    def test_several(self):
        path = f"{self.folder}/web"
        other = self.listener(path)
        self.serve(sockets=[self.listener(), other, self.listener()], listeners=3,
                   options=("--listen", "127.0.0.1:0"))
        self.assertEqual(self.daemon.urls[1], f"unix:{path}")
        self.assertEqual(len(self.daemon.urls), 3)
        for url in self.daemon.urls:
            self.assertEqual(request(url, "GET", "/healthz").status, 200)
        self.daemon.stop()
        self.assertTrue(os.path.exists(path))

    def test_nobody_is_refused_between_two_servers(self):
        held = self.listener()
        url = "http://127.0.0.1:%d" % held.getsockname()[1]
        self.serve(sockets=[held])
        self.daemon.stop()
        answer = later(request, url, "GET", "/healthz")
        self.serve(sockets=[held])
        self.assertEqual(answer.result(30 * PATIENCE).status, 200)

    def test_a_connection_that_was_given_up_does_not_hang_it(self):
        """accept() on a blocking socket would wait for the next client."""
        held = self.listener()
        self.serve(sockets=[held, self.listener()], listeners=2)
        for _ in range(20):
            raw_socket(self.daemon.urls[0]).close()
            self.assertEqual(request(self.daemon.urls[1], "GET", "/healthz").status, 200)
        self.assertFalse(os.get_blocking(held.fileno()))

    def test_what_is_refused(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            with self.assertRaisesRegex(AssertionError, "descriptor 4 .* not a stream socket"):
                self.serve(sockets=[self.listener(), datagrams])

    def test_not_for_us(self):
        """A parent's sockets that were not meant for this process."""
        self.serve(environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"})
        self.assertEqual(self.daemon.get("/healthz").status, 200)


class ReloadTest(ServiceTest):
    def test_level_and_long_poll(self):
        self.serve()
        self.assertEqual(self.hear("STATUS"), ["READY=1"])
        began = time.monotonic_ns() // 1000
        said = self.reload({"log": {"level": "debug"}, "timeouts": {"long-poll": "10ms"}})
        self.assertIn("what changed is [timeouts] long-poll, [log] level", said)
        word, moment = self.hear("STATUS")
        self.assertEqual(word, "RELOADING=1")
        moment = int(moment.removeprefix("MONOTONIC_USEC="))
        self.assertTrue(began <= moment <= time.monotonic_ns() // 1000)
        self.assertEqual(self.hear("STATUS"), ["READY=1"])
        client = self.client("some-other-type")
        began = time.monotonic()
        client.poll(wait=None)  # for as long as the configuration says
        self.assertLess(time.monotonic() - began, 10 * PATIENCE)
        said = self.reload({"log": {"level": "info"}})
        self.assertIn("[timeouts] long-poll", said)

    def test_level_holds(self):
        self.serve(config={"log": {"level": "error"}}, listeners=0)
        self.assertEqual(self.hear("STATUS"), ["READY=1"])
        said = self.reload({"log": {"level": "info"}})
        self.assertIn("what changed is [log] level", said)
        self.assertNotIn("reads the configuration anew", said)  # info was not logged then
        self.assertIn("SIGHUP: reads", self.reload({"log": {"level": "info"}}))

    def test_mistakes_change_nothing(self):
        self.serve(config={"timeouts": {"idle-client": "60s"}})
        client = self.client("some-other-type")
        said = self.reload(text="[timeouts]\nidle-client = 10ms\nstep = soon\n[sever]\n")
        self.assertRegex(said, r"trafficlight\.ini:3: \[timeouts\] step: \"soon\"")
        self.assertRegex(said, r"trafficlight\.ini:4: \[sever\]")
        self.assertIn("the configuration stays as it was", said)
        self.assertIsNotNone(self.daemon.client(client.id))
        self.assertEqual(self.hear("STATUS", "RELOADING"), ["READY=1"])
        self.assertEqual(self.hear("STATUS", "RELOADING"), ["READY=1"])
        self.assertIn("nothing changed", self.reload({"timeouts": {"idle-client": "60s"}}))

    def test_a_file_that_has_gone(self):
        self.serve()
        (self.folder / "trafficlight.ini").unlink()
        seen = len(self.daemon.log)
        self.daemon.signal(signal.SIGHUP)
        self.daemon.wait_for_log("trafficlight.ini: cannot be read: No such file")
        self.assertEqual(self.daemon.get("/healthz").status, 200)
        self.assertGreater(len(self.daemon.log), seen)

    def test_what_takes_a_restart(self):
        self.serve()
        said = self.reload({"server": {"listen": "127.0.0.1:1"}, "workers": {"threads": 2}})
        for key in (r"\[server\] listen", r"\[workers\] threads"):
            self.assertRegex(said, rf"warning: {key}: has changed, which takes a restart")
        self.assertIn("nothing changed", said)
        self.assertEqual(self.daemon.get("/healthz").status, 200)

    def test_the_command_line_wins(self):
        self.serve(options=("--only", "e2e.Solo", "--listen", "127.0.0.1:0"))
        said = self.reload({"tests": {"only": "other.*"}, "server": {"listen": "127.0.0.1:1"}})
        self.assertIn("nothing changed", said)
        self.assertNotIn("restart", said)

    def test_patience_with_clients(self):
        self.serve()
        client = self.client("some-other-type")
        self.assertIsNotNone(self.daemon.client(client.id))
        self.reload({"timeouts": {"idle-client": "10ms"}})
        wait_until(lambda: self.daemon.client(client.id) is None, 20, "the client's end")

    def test_cases_go_on(self):
        """New kinds of clients and servers, while some of the old are being used."""
        self.serve(solo(type="mine"), config={
            "client-type mine": {"type": "element-web", "version": "1*"}})
        client = self.client(version="1.0")
        client.expect("dance")
        for version in "234":
            self.reload({"client-type mine": {"type": "element-web", "version": version},
                         "server-type synapse": {"servers": "hs2=http://localhost:8009"}})
        client.report("danced")
        self.daemon.wait_case("success")

    def test_many_at_once(self):
        self.serve()
        for _ in range(50):
            self.daemon.signal(signal.SIGHUP)
        self.reload({"log": {"level": "debug"}})
        wait_until(lambda: "[log] level" in self.daemon.log_text(),
                   what="the latest configuration")
        self.assertEqual(self.daemon.get("/healthz").status, 200)

    def test_on_the_way_out(self):
        """Whoever waits for the end of a reload is not told of one after the end has begun."""
        self.serve()
        self.daemon.signal(signal.SIGTERM)
        self.daemon.signal(signal.SIGHUP)
        self.assertEqual(self.daemon.wait(), 0)
        self.daemon.stop()
