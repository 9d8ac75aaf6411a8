# SPDX-License-Identifier: Apache-2.0
"""Clients are led through state machines: who plays what, what moves a case, what ends it."""
import re
import struct
import time
import unittest

from harness import (ServerTest, definition, does, duet, later, solo, state, together,
                     verify_client, wait_until)

BOTH = {"red": ["element-web"], "green": ["element-web"]}


def dot_node(text, name):
    """The attributes of the node of a drawing that has this name or label, as text."""
    quoted = r'"(?:[^"\\]|\\.)*"'
    for identifier, attributes in re.findall(
            rf'(?m)^\s*({quoted}|\w+)\s*\[((?:[^\]"]|{quoted})*)\]', text):
        label = re.search(rf"label\s*=\s*({quoted}|<.*>|\w+)", attributes, re.DOTALL)
        if identifier.strip('"') == name or (
                label and re.match(rf"\W*{name}\b", re.sub(r"<[^<>]*>", " ", label[1]))):
            return attributes
    raise AssertionError(f"no node {name} in {text}")


class VerifyClientTest(ServerTest):
    def start_pair(self, **more):
        self.start(verify_client(), **more)
        return self.pair()

    def lead_to(self, state_name, red, green):
        """Play until the machine stands in that state."""
        for player, action, response in ((red, "register", "registered"),
                                         (green, "login", "loggedin"),
                                         (green, "start_crosssign", "started_crosssign"),
                                         (red, "accept_crosssign", "accepted_crosssign")):
            if self.daemon.case()["machine"] == state_name:
                return
            player.act(action, response)
        self.assertEqual(self.daemon.case()["machine"], state_name)

    def test_two_loops_complete_it(self):
        red, green = self.start_pair()
        did_red, did_green = together(red.play, green.play)
        self.assertEqual(did_red[:2], ["register", "accept_crosssign"])
        self.assertEqual(did_green[:2], ["login", "start_crosssign"])
        self.assertIn("verify_crosssign_emoji", did_red + did_green)
        self.assertExit(red.poll())
        self.assertExit(green.poll())
        case = self.assertOutcome("success")
        self.assertEqual(case["name"], "red=element-web green=element-web")
        self.assertTrue(self.daemon.status()["server"]["done"])

    def test_pictures_mark_complete(self):
        red, green = self.start_pair()
        red.expect("register")
        path = f"/status/{self.daemon.case()['id']}/statemachine."
        before = self.daemon.get(path + "dot").body.decode()
        together(red.play, green.play)
        after = self.daemon.get(path + "dot").body.decode()
        for name in ("complete", "init_r"):
            self.assertNotEqual(dot_node(before, name), dot_node(after, name))
        self.assertIn(b"complete", self.daemon.get(path + "svg").body)
        picture = self.daemon.get(path + "png")
        self.assertEqual(picture.headers["Content-Type"], "image/png")
        self.assertEqual(picture.body[:8], b"\x89PNG\r\n\x1a\n")
        self.assertGreater(min(struct.unpack(">II", picture.body[16:24])), 0)
        self.assertEqual(picture.body[-8:-4], b"IEND")

    def test_the_data_a_client_is_given(self):
        red, green = self.start_pair()
        given = red.act("register", "registered")["data"]
        self.assertEqual(given["homeserver_url"], {"local": "http://localhost:8008",
                                                   "local_docker": "http://10.0.2.2:8008"})
        self.assertRegex(given["username"], r"^user_red_[0-9a-f]{8}$")
        self.assertTrue(given["password"])
        taken = green.expect("login")["data"]
        self.assertEqual(taken["username"], given["username"])
        self.assertEqual(taken["password"], given["password"])

    def test_a_client_that_reports_failed(self):
        red, green = self.start_pair()
        self.lead_to("accept_crosssign", red, green)
        held = later(green.poll, 20)
        red.act("accept_crosssign", "failed")
        self.assertExit(held.result(5))
        self.assertExit(red.poll())
        self.assertOutcome("failure", "red", "accept_crosssign")

    def test_an_action_that_stays_keeps_its_id(self):
        red, green = self.start_pair()
        self.lead_to("verify_rg", red, green)
        before = green.expect("verify_crosssign_emoji")
        red.act("verify_crosssign_emoji", "verified_crosssign")
        self.assertEqual(self.daemon.case()["machine"], "verify_g")
        self.assertEqual(green.expect("verify_crosssign_emoji"), before)
        self.assertTaken(green.report("verified_crosssign", id=before["id"]))
        self.assertOutcome("success")

    def test_either_may_be_first(self):
        red, green = self.start_pair()
        self.lead_to("verify_rg", red, green)
        green.act("verify_crosssign_emoji", "verified_crosssign")
        self.assertEqual(self.daemon.case()["machine"], "verify_r")
        red.act("verify_crosssign_emoji", "verified_crosssign")
        self.assertOutcome("success")

    def test_a_held_poll_hears_at_once(self):
        red, green = self.start_pair()
        red.expect("register")
        held = later(green.poll, 20)
        self.daemon.wait_parked(green)
        begun = time.monotonic()
        red.report("registered")
        self.assertEqual(held.result(5)["action"], "login")
        self.assertLess(time.monotonic() - begun, 1)


class EndTest(ServerTest):
    def test_a_failure_names_role_action_and_state(self):
        self.start(definition("Named", {
            "ballroom": state(red=does("dance", {"danced": "complete"}))}))
        red = self.client()
        red.act("dance", "failed")
        self.assertOutcome("failure", "red", "dance", "ballroom")

    def test_a_response_nobody_expects(self):
        self.start(definition("Wrong", {"ballroom": state(
            red=does("dance", {"danced": "complete", "stumbled": "failure"}))}))
        self.client().act("dance", "flew_away")
        self.assertOutcome("error", "red", "dance", "flew_away", "danced", "stumbled")

    def test_error_as_a_response(self):
        self.start(solo())
        self.client().act("dance", "error")
        self.assertOutcome("error", "red", "dance")

    def test_a_state_may_name_failed_itself(self):
        self.start(definition("Brave", {
            "ballroom": state(red=does("dance", {"danced": "failure", "failed": "complete"}))}))
        self.client().act("dance", "failed")
        self.assertOutcome("success")

    def test_a_response_that_leads_to_failure_or_error(self):
        self.start(definition("Bad", {"ballroom": state(
            red=does("dance", {"danced": "complete", "fell": "failure", "hid": "error"}))}),
            config={"tests": {"repeat": 2}})
        self.client().act("dance", "fell")
        self.client().act("dance", "hid")
        self.assertOutcome("failure", index=0)
        self.assertOutcome("error", index=1)

    def test_everybody_is_told_to_exit_and_why(self):
        self.start(duet())
        red, green = self.pair()
        held = later(green.poll, 20)
        self.daemon.wait_parked(green)
        red.act("dance", "flew_away")
        told = held.result(5)
        self.assertExit(told)
        self.assertIn("flew_away", told["data"]["reason"] + self.daemon.case()["message"])

    def test_a_step_that_takes_too_long(self):
        self.start(duet(), config={"timeouts": {"step": "1s"}})
        red, green = self.pair()
        red.expect("dance")
        self.assertOutcome("error", "dance")
        red.expect_exit()
        green.expect_exit()

    def test_an_action_has_a_timeout_of_its_own(self):
        self.start(definition("Short", {"floor": state(
            red=does("dance", {"danced": "complete"}, timeout="500ms"))}))
        self.client().expect("dance")
        self.assertOutcome("error", "dance", "red")

    def test_a_timeout_counts_though_nobody_fetched(self):
        self.start(solo(), config={"timeouts": {"step": "500ms"}})
        self.client()
        self.assertOutcome("error", "dance")

    def test_a_case_that_takes_too_long(self):
        self.start(solo(timeout="1s"))
        red = self.client()
        red.expect("dance")
        self.assertOutcome("error")
        red.expect_exit()

    def test_the_setting_for_cases(self):
        self.start(solo(), config={"timeouts": {"case": "500ms"}})
        self.client().expect("dance")
        self.assertOutcome("error")

    def test_a_client_that_is_lost(self):
        self.start(duet(), config={"timeouts": {"active-client": "1s"}})
        red, green = self.pair()
        red.expect("dance")
        self.assertOutcome("error", "green")
        red.expect_exit()
        self.assertEqual(self.daemon.client(green.id)["state"], "lost")

    def test_many_clients_that_are_lost_together(self):
        """All of their cases end at once, not one a second."""
        self.start(duet(), config={"timeouts": {"active-client": "1s"}, "tests": {"repeat": 12}})
        for _ in range(12):
            self.pair()
        begun = time.monotonic()
        wait_until(lambda: self.daemon.status()["totals"]["error"] == 12, 20, "12 errors")
        ended = [case["ended"] for suite in self.daemon.status()["suites"]
                 for case in suite["cases"]]
        self.assertLess(len({when[:19] for when in ended}), 4, ended)
        self.assertGreater(time.monotonic() - begun, 0.5)

    def test_a_client_at_work_is_not_lost(self):
        self.start(duet(), config={"timeouts": {"active-client": "1s"}})
        red, green = self.pair()
        red.expect("dance")  # and works longer than active-client, without a poll
        begun = time.monotonic()
        while time.monotonic() - begun < 2.5:
            self.assertEqual(green.poll(wait=0.2)["action"], "idle")
        red.report("danced")
        green.act("sing", "sung")
        self.assertOutcome("success")

    def test_a_held_poll_counts_as_heard(self):
        self.start(duet(), config={"timeouts": {"active-client": "1s"}})
        red, green = self.pair()
        red.expect("dance")
        self.assertIdle(green.poll(wait=3), 0)

    def test_an_outcome_never_changes(self):
        self.start(solo())
        red = self.client()
        delivery = red.act("dance", "failed")
        self.assertOutcome("failure")
        self.assertTaken(red.report("danced"))
        self.assertProblem(red.report("danced", id="something else"), 409)
        self.assertTaken(red.report("failed", id=delivery["id"]))
        self.assertTaken(red.error("adapter", "too late"))
        self.assertOutcome("failure")


class MatchingTest(ServerTest):
    def roles(self, index=0):
        return {role: one["client"]
                for role, one in self.daemon.case(index)["roles"].items() if one["client"]}

    def test_roles_are_filled_in_order(self):
        self.start(duet())
        red, green = self.pair()
        self.assertEqual(self.roles(), {"red": red.id, "green": green.id})

    def test_who_waited_longest_comes_first(self):
        self.start(duet(green="element-android"))
        first, second = self.client(), self.client()
        android = self.client("element-android")
        self.assertEqual(self.roles(), {"red": first.id, "green": android.id})
        self.assertIdle(second.poll(wait=0), 5000)

    def test_files_in_the_order_of_their_names(self):
        self.write_definition(solo("Later"), name="b_test.json")
        self.write_definition(solo("Sooner"), name="a_test.json")
        self.start()
        self.client()
        suites = {s["name"]: s["cases"][0]["state"] for s in self.daemon.status()["suites"]}
        self.assertEqual(suites, {"Sooner": "running", "Later": "waiting"})

    def test_paths_in_the_order_they_are_given(self):
        paths = [self.write_definition(solo("Later"), name="b_test.json"),
                 self.write_definition(solo("Sooner"), name="a_test.json")]
        self.start(config={"tests": {"path": paths}})
        self.client()
        suites = [(s["name"], s["cases"][0]["state"])
                  for s in self.daemon.status()["suites"]]
        self.assertEqual(suites, [("Later", "running"), ("Sooner", "waiting")])

    def test_cases_are_the_product_of_types(self):
        types = ["element-web", "element-android"]
        self.start(verify_client(types, types))
        self.assertEqual([case["name"] for case in self.daemon.cases()],
                         [f"red={red} green={green}" for red in types for green in types])

    def test_the_first_case_that_can_be_filled(self):
        types = ["element-web", "element-android"]
        self.start(verify_client(types, types))
        android, web = self.client("element-android"), self.client("element-web")
        self.assertEqual([case["state"] for case in self.daemon.cases()],
                         ["waiting", "running", "waiting", "waiting"])
        self.assertEqual(self.roles(1), {"red": web.id, "green": android.id})

    def test_repeated_cases_have_numbers(self):
        self.start(solo(), config={"tests": {"repeat": 3}})
        names = [case["name"] for case in self.daemon.cases()]
        self.assertEqual(len(set(names)), 3)
        self.assertEqual(sorted(name[-2:] for name in names if "#" in name)[-2:],
                         ["#2", "#3"])

    def test_a_client_is_in_at_most_one_case(self):
        self.start(solo(), config={"tests": {"repeat": 2}})
        red = self.client()
        red.act("dance", "danced")
        red.expect_exit()
        self.assertProblem(red.call("POST", "register", {"type": "element-web"}), 409)
        self.assertEqual(self.daemon.case(1)["state"], "waiting")
        self.client().act("dance", "danced")
        self.assertOutcome("success", index=1)

    def test_a_case_waits_until_all_roles_can_be_filled(self):
        self.start(duet(green="element-android"))
        red = self.client()
        self.assertIdle(red.poll(wait=0), 5000)
        case = self.daemon.case()
        self.assertEqual(case["state"], "waiting")
        self.assertIn("element-android", case["message"])
        held = later(red.poll, 20)
        self.client("element-android")
        self.assertEqual(held.result(5)["action"], "dance")

    def test_a_client_of_another_type_waits(self):
        self.start(solo())
        self.assertIdle(self.client("element-phone").poll(wait=0), 5000)
        self.assertEqual(self.daemon.case()["state"], "waiting")

    def test_client_types_of_the_configuration(self):
        self.start(solo(type="develop"), config={"client-type develop": {
            "type": "element-web", "version": "*-develop*"}})
        other = self.client(version="1.0")
        self.assertIdle(other.poll(wait=0), 5000)
        self.client(version="1.0-develop-2").expect("dance")
        self.assertEqual(self.daemon.case()["name"], "red=develop")

    def test_a_silent_waiting_client_is_dropped(self):
        self.start(solo(type="element-android"), config={"timeouts": {"idle-client": "1s"}})
        silent, held = self.client(), self.client()
        held_poll = later(held.poll, 3)
        wait_until(lambda: self.daemon.client(silent.id) is None, what="its end")
        self.assertExit(silent.poll())
        self.assertIdle(held_poll.result(10), 0)
        self.assertIdle(self.client(id=silent.id).poll(wait=0), 5000)

    def test_a_retired_client_plays_no_role(self):
        self.start(duet())
        retired = self.client()
        self.assertTaken(retired.error("adapter", "no browser"))
        red, green = self.pair()
        self.assertEqual(self.roles(), {"red": red.id, "green": green.id})
        self.assertExit(retired.poll())

    def test_two_cases_at_once_do_not_mix(self):
        self.start(duet(), config={"tests": {"repeat": 2}})
        red_one, green_one = self.pair()
        red_two, green_two = self.pair()
        red_two.act("dance", "danced")
        self.assertIdle(green_one.poll(wait=0), 5000)
        green_two.act("sing", "sung")
        self.assertOutcome("success", index=1)
        red_one.act("dance", "failed")
        self.assertOutcome("failure", index=0)


class ResponseTest(ServerTest):
    def play_states(self, states, clients=None, **more):
        self.start(definition("Play", states, clients, **more))
        made = [self.client(types[0]) for types in (clients or {"red": ["element-web"]}).values()]
        return made if len(made) > 1 else made[0]

    def test_no_response_is_the_canonical_name(self):
        red = self.play_states({"floor": state(red=does("dance", {"danced": "complete"}))})
        red.act("dance")
        self.assertOutcome("success")

    def test_another_name_of_the_action(self):
        red = self.play_states({"floor": state(red=does("dance", {"danced": "complete"}))})
        red.act("dance", "waltzed")
        self.assertOutcome("success")

    def test_a_listed_name_comes_before_other_names(self):
        red = self.play_states({"floor": state(
            red=does("dance", {"danced": "failure", "waltzed": "complete"}))})
        red.act("dance", "waltzed")
        self.assertOutcome("success")

    def test_names_that_the_state_accepts_are_told(self):
        red = self.play_states({"floor": state(
            red=does("dance", {"danced": "complete", "fell": "failure"}))})
        self.assertLessEqual({"danced", "fell"}, set(red.expect("dance")["responses"]))

    def test_lists_wait_for_everybody(self):
        red, green = self.play_states({
            "floor": state(red=does("dance", ["danced"]), green=does("sing", ["sung"]),
                           next="again"),
            "again": state(red=does("sing", {"sung": "complete"}))}, BOTH)
        self.assertEqual(red.act("dance", "danced")["responses"], ["danced"])
        self.assertIdle(red.poll(wait=0), 5000)
        self.assertEqual(self.daemon.case()["machine"], "floor")
        green.act("sing", "sung")
        red.act("sing", "sung")
        self.assertOutcome("success")

    def test_a_list_is_the_whole_list(self):
        red = self.play_states({"floor": state(red=does("dance", ["danced"]),
                                               next="complete")})
        red.act("dance", "flew_away")
        self.assertOutcome("error", "red", "flew_away", "danced")

    def test_left_out_responses_take_every_name(self):
        red = self.play_states({"floor": state(red=does("dance"), next="complete")})
        self.assertEqual(red.act("dance", "flew_away")["responses"], [])
        self.assertOutcome("success")

    def test_left_out_responses_do_not_take_failed(self):
        red = self.play_states({"floor": state(red=does("dance"), next="complete")})
        red.act("dance", "failed")
        self.assertOutcome("failure", "red", "dance")

    def test_a_star_takes_every_name(self):
        red = self.play_states({
            "floor": state(red=does("dance", {"*": "again"})),
            "again": state(red=does("sing", ["*"]), next="complete")})
        self.assertEqual(red.act("dance", "flew_away")["responses"], [])
        red.act("sing", "whistled")
        self.assertOutcome("success")

    def test_a_star_does_not_take_error(self):
        red = self.play_states({"floor": state(red=does("dance", {"*": "complete"}))})
        red.act("dance", "error")
        self.assertOutcome("error", "red", "dance")

    def test_a_name_comes_before_the_star(self):
        red = self.play_states({"floor": state(
            red=does("dance", {"*": "failure", "danced": "complete"}))})
        red.act("dance", "danced")
        self.assertOutcome("success")

    def test_what_is_withdrawn_is_gone(self):
        red, green = self.play_states({
            "floor": state(red=does("dance", {"danced": "again"}),
                           green=does("sing", {"sung": "failure"})),
            "again": state(red=does("dance", {"danced": "complete"}))}, BOTH)
        withdrawn = green.expect("sing")
        red.act("dance", "danced")
        self.assertIdle(green.poll(wait=0), 5000)
        self.assertProblem(green.report("sung", id=withdrawn["id"]), 409)
        self.assertTaken(green.report("sung"))
        red.act("dance", "danced")
        self.assertOutcome("success")

    def test_the_same_action_with_other_data_is_new(self):
        red, green = self.play_states({
            "floor": state(red=does("sing", {"sung": "again"}),
                           green=does("dance", {"danced": "failure"}, data={"tune": "a"})),
            "again": state(green=does("dance", {"danced": "complete"}, data={"tune": "b"}))},
            BOTH)
        before = green.expect("dance")
        red.act("sing", "sung")
        after = green.expect("dance")
        self.assertNotEqual(before["id"], after["id"])
        self.assertEqual(after["data"]["tune"], "b")
        green.report("danced")
        self.assertOutcome("success")

    def test_a_late_report_without_id_is_about_what_was_fetched(self):
        red, green = self.play_states({
            "floor": state(red=does("sing", {"sung": "again"}),
                           green=does("dance", {"danced": "failure"}, data={"tune": "a"})),
            "again": state(green=does("dance", {"danced": "complete"}, data={"tune": "b"}))},
            BOTH)
        green.expect("dance")
        red.act("sing", "sung")
        self.assertTaken(green.report("danced"))  # of tune a, which is withdrawn
        self.assertEqual(self.daemon.case()["machine"], "again")
        green.act("dance", "danced")
        self.assertOutcome("success")

    def test_wait(self):
        red = self.play_states({"floor": state(red=does("dance", {"danced": "rest"})),
                                "rest": {"wait": "500ms", "next": "again"},
                                "again": state(red=does("sing", {"sung": "complete"}))})
        red.act("dance", "danced")
        begun = time.monotonic()
        self.assertIdle(red.poll(wait=0), 5000)
        red.act("sing", "sung")
        self.assertGreater(time.monotonic() - begun, 0.4)
        self.assertOutcome("success")

    def test_set(self):
        red = self.play_states({"name_it": {"set": {"title": "The ${song}"}, "next": "floor"},
                                "floor": state(red=does("show", {"shown": "complete"},
                                                        data={"text": "${title}!"}))},
                               variables={"song": "Waltz"})
        self.assertEqual(red.act("show", "shown")["data"]["text"], "The Waltz!")
        self.assertOutcome("success")

    def test_save(self):
        red = self.play_states({
            "floor": state(red=does("dance", {"danced": "again"}, save="seen")),
            "again": state(red=does("show", {"shown": "complete"}, data={
                "text": "${seen.response} ${seen.steps.1} $${seen} ${red.type}",
                "thing": "${seen.thing}"}))})
        red.act("dance", "danced", steps=["left", "right"], thing={"deep": [1, 2.5, None]})
        data = red.act("show", "shown")["data"]
        self.assertEqual(data["text"], "danced right ${seen} element-web")
        self.assertEqual(data["thing"], {"deep": [1, 2.5, None]})
        self.assertOutcome("success")

    def test_a_value_that_is_missing_ends_the_case(self):
        red = self.play_states({
            "floor": state(red=does("dance", {"danced": "again"}, save="seen")),
            "again": state(red=does("show", {"shown": "complete"},
                                    data={"text": "${seen.nothing}"}))})
        red.act("dance", "danced")
        self.assertOutcome("error", "seen.nothing")

    def test_what_a_client_registered_with(self):
        self.start(definition("Known", {"floor": state(red=does(
            "show", {"shown": "complete"}, data={"text": "${red.registration.version}"}))}))
        red = self.client(version="1.2 <b>")
        self.assertEqual(red.expect("show")["data"]["text"], "1.2 <b>")

    def test_every_attempt_has_a_nonce_of_its_own(self):
        self.start(definition("Nonce", {"floor": state(red=does(
            "show", {"shown": "complete"}, data={"text": "${case.nonce}"}))}),
            config={"tests": {"repeat": 2}})
        nonces = [self.client().act("show", "shown")["data"]["text"] for _ in range(2)]
        self.assertNotEqual(*nonces)
        for nonce in nonces:
            self.assertRegex(nonce, r"^[0-9a-f]{8}$")

    def test_data_is_an_object_though_there_is_none(self):
        red = self.play_states({"floor": state(red=does("dance", {"danced": "complete"}))})
        self.assertEqual(red.expect("dance")["data"], {})


if __name__ == "__main__":
    unittest.main()
