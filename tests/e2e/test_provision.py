# SPDX-License-Identifier: Apache-2.0
"""Homeservers for cases, made and destroyed by homerunner, however that behaves."""
import shutil
import signal
import socket
import time
import unittest

from harness import (ServerTest, definition, does, duet, later, request, solo, state,
                     together, wait_until)

SERVERS = {"type": "synapse", "names": ["server"]}


def registering(name="Registering", **more):
    """Red registers on the case's homeserver, and that is all."""
    return definition(name, {"in": state(red=does("register", {"registered": "complete"}))},
                      servers=SERVERS, **more)


class ProvisionTest(ServerTest):
    def provide(self, *definitions, mode="good", delay=0.0, limit=8, timeout="10s",
                config=None, url=None, images="complement-synapse", **more):
        """Start a stand-in for homerunner and a trafficlightd that uses it."""
        self.homeservers = self.homerunner(mode, delay)
        settings = {"homerunner": {"url": url or self.homeservers.url, "limit": limit,
                                   "timeout": timeout},
                    "server-type synapse": {"servers": None, "images": images}}
        for section, keys in (config or {}).items():
            settings.setdefault(section, {}).update(keys)
        self.start(*(definitions or [registering()]), config=settings, **more)
        self.addCleanup(self.assertEqual, self.homeservers.violations, [])

    def assertNothingLeft(self):
        wait_until(lambda: not self.homeservers.deployments and not self.homeservers.creating,
                   10, "the end of all deployments")


class GoodTest(ProvisionTest):
    def test_a_case_gets_its_server(self):
        self.provide()
        red = self.client()
        given = red.expect("register")["data"]["homeserver_url"]
        name, servers = next(iter(self.homeservers.deployments.items()))
        (server_name, server), = servers.items()
        self.assertEqual(given["local"], server["BaseURL"])
        self.assertEqual(given["local_docker"],
                         server["BaseURL"].replace("localhost", "10.0.2.2"))
        self.assertEqual(self.daemon.case()["servers"], [
            {"name": "server", "server_name": server_name, "cs_api": server["BaseURL"]}])
        red.report("registered")
        self.assertOutcome("success")
        self.assertNothingLeft()
        self.assertEqual(self.homeservers.destroyed, [name])

    def test_nothing_is_made_before_somebody_can_play(self):
        self.provide()
        self.client("element-phone").poll(wait=0.3)
        self.assertEqual(self.homeservers.created, [])

    def test_names_are_unique(self):
        self.provide(config={"tests": {"repeat": 3}})
        for _ in range(3):
            self.client().act("register", "registered")
        self.assertNothingLeft()
        self.assertEqual(len(set(self.homeservers.created)), 3)

    def test_images_in_order(self):
        test = registering()
        test["servers"] = {"type": "synapse", "names": ["one", "two", "three"]}
        self.provide(test, images="first-image second-image")
        self.client().expect("register")
        made = self.homeservers.bodies("/create")[0]["blueprint"]["Homeservers"]
        self.assertEqual([server["BaseImageURI"] for server in made],
                         ["first-image", "second-image", "second-image"])
        self.assertEqual([s["name"] for s in self.daemon.case()["servers"]],
                         ["one", "two", "three"])

    def test_destroyed_after_a_failure(self):
        self.provide()
        self.client().act("register", "failed")
        self.assertOutcome("failure")
        self.assertNothingLeft()

    def test_destroyed_after_an_error(self):
        self.provide()
        red = self.client()
        red.expect("register")
        red.error("unknown")
        self.assertOutcome("error")
        self.assertNothingLeft()

    def test_destroyed_after_a_timeout(self):
        self.provide(config={"timeouts": {"step": "500ms"}})
        self.client().expect("register")
        self.assertOutcome("error")
        self.assertNothingLeft()

    def test_destroyed_after_a_client_was_lost(self):
        self.provide(duet(servers=SERVERS), config={"timeouts": {"active-client": "1s"}})
        red, _ = self.pair()
        red.expect("dance")
        self.assertOutcome("error", "green")
        self.assertNothingLeft()

    def test_destroyed_at_sigterm(self):
        self.provide()
        self.client().expect("register")
        self.assertEqual(len(self.homeservers.deployments), 1)
        self.daemon.stop()
        self.assertEqual(self.homeservers.deployments, {})

    def test_a_destroy_that_fails_is_logged(self):
        self.provide()
        self.homeservers.destroy_fails = True
        self.client().act("register", "registered")
        self.assertOutcome("success")
        self.daemon.wait_for_log("no such deployment")

    def test_the_limit_is_kept(self):
        self.provide(mode="slow", delay=0.1, limit=2, config={"tests": {"repeat": 8}})
        clients = [self.client() for _ in range(8)]
        together(*[lambda c=c: c.play() for c in clients])
        wait_until(lambda: self.daemon.status()["totals"]["success"] == 8)
        self.assertNothingLeft()
        self.assertEqual(self.homeservers.most_at_once, 2)

    def test_a_case_without_a_deployment_takes_no_clients(self):
        self.provide(registering("First"), registering("Second"), solo("Third"), limit=1)
        one = self.client()
        one.expect("register")
        other = self.client()  # Second has to wait, Third needs no server
        other.act("dance", "danced")
        case = self.daemon.case(1)
        self.assertEqual(case["state"], "waiting")
        self.assertTrue(case["message"])
        third = self.client()
        self.assertIdle(third.poll(wait=0), 5000)
        one.report("registered")
        third.act("register", "registered")
        self.assertOutcome("success", index=1)

    def test_fixed_servers_need_no_homerunner(self):
        self.provide(config={"server-type synapse": {
            "images": None, "servers": "hs7=http://localhost:1234"}})
        given = self.client().expect("register")["data"]["homeserver_url"]
        self.assertEqual(given, {"local": "http://localhost:1234",
                                 "local_docker": "http://10.0.2.2:1234"})
        self.assertEqual(self.homeservers.requests, [])


class BadTest(ProvisionTest):
    def assertEndsAs(self, *words):
        """The case ends as an error that says so; its client hears; others go on."""
        red = self.client()
        self.assertExit(red.poll(wait=20))
        case = self.assertOutcome("error", *words)
        self.assertTrue(case["message"])
        self.client().act("dance", "danced")
        self.assertOutcome("success", index=1)
        return case

    def provide_bad(self, mode, **more):
        self.provide(registering(), solo(), mode=mode, **more)

    def test_a_failure(self):
        self.provide_bad("fail")
        self.assertEndsAs("no such image: shed your tears")

    def test_error_500(self):
        self.provide_bad("error500")
        self.assertEndsAs("docker has gone for lunch")

    def test_a_late_error(self):
        self.provide_bad("late-error", delay=0.5)
        self.assertEndsAs("docker has gone for lunch")

    def test_garbage(self):
        self.provide_bad("garbage")
        self.assertEndsAs("homerunner")

    def test_half_a_body(self):
        self.provide_bad("half")
        self.assertEndsAs("homerunner")

    def test_silence(self):
        self.provide_bad("silent", timeout="1s")
        self.assertEndsAs("homerunner")

    def test_a_homeserver_is_missing(self):
        self.provide_bad("lying-server")
        case = self.assertEndsAs()
        wanted = self.homeservers.bodies("/create")[0]["blueprint"]["Homeservers"][0]
        self.assertIn(wanted["Name"], case["message"])

    def test_an_address_that_is_none(self):
        self.provide_bad("lying-url")
        self.assertEndsAs("over there")

    def test_nobody_listens(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        self.provide_bad("good", url=f"http://127.0.0.1:{port}")
        self.assertEndsAs(str(port))

    def test_what_may_exist_is_destroyed(self):
        for mode in ("lying-server", "lying-url", "garbage", "half"):
            with self.subTest(mode):
                self.provide(registering(), mode=mode)
                self.client().expect_exit()
                self.assertOutcome("error")
                self.assertNothingLeft()
                self.daemon.stop()
                shutil.rmtree(self.suites)

    def test_a_failed_case_makes_room(self):
        self.provide(mode="fail,good", limit=1, config={"tests": {"repeat": 2}})
        self.assertExit(self.client().poll(wait=20))
        self.client().act("register", "registered")
        self.assertOutcome("error", index=0)
        self.daemon.wait_case("success", index=1)


class SeveralTest(ServerTest):
    """Several homerunners, which need not all be there all the time."""

    def provide(self, *modes, repeat, limit, delay=0.0):
        self.homes = []
        for mode in modes:
            beside = self.homes[0] if self.homes else None
            self.homes.append(self.homerunner(mode, delay, beside=beside))
        self.limits = {"limit": limit, "timeout": "20s"}
        self.repeat = repeat
        self.launch(registering(), homes=self.homes, expect=None)

    def launch(self, *definitions, homes, **more):
        self.start(*definitions, **more, config={
            "homerunner": {"url": [home.url for home in homes], **self.limits},
            "server-type synapse": {"servers": None, "images": "complement-synapse"},
            "tests": {"repeat": self.repeat}})

    def loads(self):
        return [len(home.deployments) for home in self.homes]

    def assertAllEndWell(self, clients):
        for client in clients:
            self.again(client).act("register", "registered")
        wait_until(lambda: self.daemon.status()["totals"]["success"] == self.repeat)
        wait_until(lambda: self.loads() == [0] * len(self.homes), 10, "the last destroy")
        self.daemon.stop()
        for home in self.homes:
            self.assertEqual(home.violations, [])

    def player(self):
        client = self.client()
        client.expect("register")
        return client

    def test_the_least_loaded_is_asked(self):
        self.provide("good", "good", "good", repeat=6, limit=2)
        players = []
        for loads in ([1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1], [2, 2, 1], [2, 2, 2]):
            players.append(self.player())
            self.assertEqual(self.loads(), loads)
        case = self.daemon.case()
        told = self.daemon.get(f"/status/{case['id']}/status.json").json
        made = [line["text"] for line in told["transcript"] if "made [" in line["text"]]
        self.assertTrue(made[0].endswith(f" on {self.homes[0].url}"), made)
        self.assertAllEndWell(players)

    def test_one_dies_and_comes_back(self):
        self.provide("good", "good", "good", repeat=6, limit=2)
        first, second, third = self.homes
        players = [self.player() for _ in range(3)]
        second.close()
        players += [self.player() for _ in range(2)]
        self.assertEqual(self.loads(), [2, 1, 2])
        self.daemon.wait_for_log(f"{second.url} can't be reached.*; it is left out for 1s")
        waiting = self.client()  # the others are full
        self.assertIdle(waiting.poll(wait=0.2), 0)
        self.assertEqual(self.daemon.case(5)["state"], "preparing")
        second.come_back()
        waiting.expect("register")
        self.assertEqual(self.loads(), [2, 2, 2])
        self.daemon.wait_for_log(f"{second.url} is back")
        self.assertAllEndWell([*players, waiting])
        for home in (first, second, third):
            self.assertEqual(sorted(home.created), sorted(home.destroyed))

    def test_one_that_breaks_is_left_out(self):
        self.provide("error500,good", "good", repeat=4, limit=4)
        self.assertExit(self.client().poll(wait=20))
        players = [self.player() for _ in range(3)]
        self.assertEqual(len(self.homes[0].destroyed), 1)  # what may have been made
        self.daemon.wait_for_log("docker has gone for lunch; it is left out for")
        for player in players:
            player.act("register", "registered")
        wait_until(lambda: self.daemon.status()["totals"]["success"] == 3)
        wait_until(lambda: self.loads() == [0, 0], 10, "the last destroy")
        self.daemon.stop()
        self.assertEqual([home.violations for home in self.homes], [[], []])

    def test_a_server_that_is_killed(self):
        self.provide("good,slow", "good", repeat=3, limit=2, delay=30)
        first, second = self.homes
        players = [self.player() for _ in range(2)]
        players.append(self.client())
        wait_until(lambda: first.creating == 1)
        lost = first.created[1]
        self.daemon.kill()
        first.cancelled.set()  # it is made, and nobody hears of it
        wait_until(lambda: lost in first.deployments)
        self.launch(homes=self.homes)
        wait_until(lambda: lost not in first.deployments)
        wait_until(lambda: second.destroyed == [lost])  # which never had it
        self.assertAllEndWell(players)

    def test_one_that_is_not_configured_any_more(self):
        self.provide("good", "good", repeat=3, limit=2)
        players = [self.player() for _ in range(2)]
        self.daemon.kill()
        self.launch(homes=self.homes[1:])
        players.append(self.player())
        self.assertEqual(self.loads(), [1, 2])
        self.assertAllEndWell(players)
        self.assertEqual(len(self.homes[0].destroyed), 1)
        self.assertEqual(len(self.homes[1].destroyed), 2)


class MeanwhileTest(ProvisionTest):
    """Nobody else waits for a homerunner that takes its time."""

    WORKERS = {"workers": {"threads": 16}}

    def hundred(self):
        """100 other clients register and poll twice; gives the seconds it took."""
        begun = time.monotonic()
        clients = [self.client("element-phone", register=False) for _ in range(100)]

        def visit(some):
            for client in some:
                client.register()
                self.assertIdle(client.poll(wait=0), 5000)
                self.assertIdle(client.poll(wait=0), 5000)

        together(*[lambda n=n: visit(clients[n::10]) for n in range(10)])
        return time.monotonic() - begun

    def test_a_hundred_clients_while_ten_creates_hang(self):
        self.provide(mode="slow", delay=10, limit=10, timeout="60s", expect=None,
                     config={"tests": {"repeat": 10}, **self.WORKERS})
        without = self.hundred()
        players = [self.client() for _ in range(10)]
        wait_until(lambda: self.homeservers.creating == 10, 10, "ten creates that hang")
        meanwhile = self.hundred()
        self.assertEqual(self.homeservers.creating, 10)
        self.assertEqual(self.daemon.status()["totals"]["preparing"], 10)
        self.assertLess(meanwhile, 5)
        self.assertLess(meanwhile, 5 * without + 0.5)
        self.homeservers.cancelled.set()
        for player in players:
            player.act("register", "registered")
        wait_until(lambda: self.daemon.status()["totals"]["success"] == 10)
        self.assertNothingLeft()
        self.daemon.stop()

    def test_more_hanging_creates_than_threads(self):
        self.provide(mode="slow", delay=10, limit=10, timeout="60s",
                     config={"tests": {"repeat": 10}, "workers": {"threads": 2}})
        players = [self.client() for _ in range(10)]
        wait_until(lambda: self.homeservers.creating > 0)
        self.assertLess(self.hundred(), 5)
        case = self.daemon.case()
        picture = self.daemon.get(f"/status/{case['id']}/statemachine.svg")
        self.assertEqual(picture.status, 200)
        self.homeservers.cancelled.set()
        for player in players:
            player.act("register", "registered")

    def test_players_are_idle_while_a_server_is_made(self):
        self.provide(mode="slow", delay=10, timeout="60s")
        red = self.client()
        wait_until(lambda: self.homeservers.creating == 1)
        self.assertEqual(self.daemon.case()["state"], "preparing")
        self.assertIdle(red.poll(wait=0), 5000)
        held = later(red.poll, 20)
        self.daemon.wait_parked(red)
        self.assertFalse(held.done())
        self.homeservers.cancelled.set()
        self.assertEqual(held.result(5)["action"], "register")

    def test_a_client_that_is_lost_meanwhile(self):
        self.provide(mode="slow", delay=4, config={"timeouts": {"active-client": "1s"}})
        red = self.client()
        wait_until(lambda: self.homeservers.creating == 1)
        self.assertOutcome("error", "red")
        self.assertExit(red.poll())
        self.homeservers.cancelled.set()
        wait_until(lambda: self.homeservers.destroyed, 10, "a destroy")
        self.assertNothingLeft()

    def test_a_client_that_gives_up_meanwhile(self):
        self.provide(mode="slow", delay=10)
        red = self.client()
        wait_until(lambda: self.homeservers.creating == 1)
        self.assertTaken(red.error("adapter", "no browser"))
        self.assertOutcome("error", "no browser")
        self.homeservers.cancelled.set()
        self.assertNothingLeft()

    def test_sigterm_while_a_server_is_made(self):
        self.provide(mode="slow", delay=1)
        held = later(self.client().poll, 30)
        wait_until(lambda: self.homeservers.creating == 1)
        self.daemon.stop(timeout=10)
        self.assertExit(held.result(1))
        wait_until(lambda: not self.homeservers.creating)
        self.assertNothingLeft()

    def test_sigterm_while_homerunner_hangs(self):
        self.provide(mode="slow", delay=60, timeout="5m")
        self.client()
        wait_until(lambda: self.homeservers.creating == 1)
        self.daemon.stop(timeout=20)

    def test_a_second_sigterm_while_homerunner_hangs(self):
        self.provide(mode="slow", delay=60, timeout="5m", expect=None)
        self.client()
        wait_until(lambda: self.homeservers.creating == 1)
        self.daemon.signal(signal.SIGTERM)
        wait_until(lambda: not self.is_served(), 5, "the end of listening")
        self.daemon.signal(signal.SIGTERM)
        self.daemon.wait(8)

    def is_served(self):
        try:
            return request(self.daemon.url, "GET", "/healthz", timeout=2).status == 200
        except OSError:
            return False


if __name__ == "__main__":
    unittest.main()
