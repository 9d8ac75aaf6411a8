# SPDX-License-Identifier: Apache-2.0
"""Every shipped test sends each role the very actions and data that it is known for.

The table below says what they are. Scripted clients play every case of every test through
the real server, against a stand-in for the homeservers, and answer as real ones would:
they make their users, see one another in calls and upload snapshots.
"""
import itertools
import json
import re
import threading
import unittest
import uuid

from adapters import multipart, png, without_comments
from harness import PATIENCE, SOURCE, Client, ServerTest, junit_outcome, request, together
from matrix_standin import Matrix

SUITES = SOURCE / "contrib" / "suites"
MOBILE = ("element-android", "element-ios")
ROOM = "little test room"

# --- the language of the table: <alice.localpart> stands for what is known when it runs


def do(role, action, **data):
    """An action with just this data."""
    return [(role, action, data)]


def both(*steps):
    """All outstanding at the same time."""
    return list(itertools.chain(*steps))


def http(what, times=1, method="POST"):
    """Requests that the server makes itself."""
    return [("http", method, f"/_matrix/client/r0/{what}")] * times


def wait(duration):
    return [("wait", duration, None)]


def account(role, action="register", user=None, on="server", **more):
    """Register or login with what the dictionary fills in; `user` is whose account."""
    user = user or role
    url = {"local": f"<{on}.cs_api>", "local_docker": f"<{on}.docker>"}
    return do(role, action, username=f"<{user}.localpart>", password=f"<{user}.password>",
              homeserver_url=url, **more)


def caller(role, action="register"):
    """Register or login of an element-call."""
    return do(role, action, localpart=f"<{role}.localpart>",
              password=f"<{role}.password>")


def invite(role, whom, server="server", action="invite_user"):
    return do(role, action, userId=f"<{whom}.localpart>:<{server}.name>")


def say(role, message):
    return do(role, "send_message", message=message)


def see(role, message):
    return do(role, "verify_message_in_timeline", message=message)


def image(role, colour):
    return do(role, "set_video_image", image=colour)


def display(role, name=None):
    return do(role, "set_display_name", display_name=name or role)


def join(role, **guest):
    return do(role, "join_by_url", call_url="<invite>", **guest)


PASSPHRASE = {"key_backup_passphrase": "helloworld123helloworld"}
EW, HY, EC = "element-web", "hydrogen-web", "element-call"
NP = "network-proxy"
CROWD = "olivia liam charlotte james ava lucas isabella william".split()
TO_DEVICE = "/_matrix/client/r0/sendToDevice"
SYNC = "/_matrix/client/r0/sync"
CALLERS = {"alice": [EC], "bob": [EC]}
COUPLE = {"alice": [EW], "bob": [EW]}
PROXIED = {"alice": [EW], "bob": [EW], "network_proxy": [NP]}
PROXY_TO = do("network_proxy", "proxyTo", url="<server.cs_api>")
EMOJI = "verify_crosssign_emoji"


def set_up_call(*between):
    """Two registered users with names: one makes a call, the other gets its link."""
    return [both(caller("alice"), caller("bob")), both(display("alice"), display("bob")),
            do("alice", "create_or_join", call_name="<room>"),
            do("alice", "get_lobby_data"), join("bob"), *between,
            both(do("alice", "lobby_join"), do("bob", "lobby_join"))]


def invite_links(alice=None, bob=None):
    """What the three tests of invite links share; names are those of guests."""
    alice = {"display_name": alice} if alice else {}
    bob = {"display_name": bob} if bob else {}
    return [image("alice", "red"), image("bob", "blue"),
            do("alice", "create_or_join", call_name="<room>", **alice),
            do("alice", "get_lobby_data"), join("bob", **bob), wait("10s"),
            do("bob", "get_lobby_data"), join("bob", **bob), do("bob", "get_lobby_data"),
            do("alice", "lobby_join"), do("alice", "get_call_data"), join("bob", **bob),
            do("bob", "get_lobby_data"), do("bob", "lobby_join"), wait("7s"),
            do("bob", "get_call_data"), do("alice", "get_call_data")]


def rejoin_round(i):
    alice, bob = ("green", "blue") if i % 2 else ("red", "green")
    return [both(image("alice", alice), image("bob", bob)), join("bob"),
            do("bob", "lobby_join"), display("bob", f"bob{i}"), wait("5s"),
            both(do("alice", "get_call_data"), do("bob", "get_call_data")),
            do("bob", "leave_call")]


TESTS = {
    "chat/dehydrated_device_test.json": ("DehydratedDevice", COUPLE, [
        account("alice"), account("bob"),
        do("alice", "enable_dehydrated_device", **PASSPHRASE),
        do("bob", "create_room", name=ROOM), invite("bob", "alice"),
        do("alice", "accept_invite"), do("alice", "logout"),
        do("bob", "advance_clock", milliseconds=1209600000),
        say("bob", "Alice should be able to read this message!"),
        account("alice", "login", **PASSPHRASE), do("alice", "open_room", name=ROOM),
        see("alice", "Alice should be able to read this message!")]),
    "chat/hydrogen_actions_test.json": ("HydrogenActions", {"alice": [HY]}, [
        http("register"), account("alice", "login"),
        do("alice", "create_room", name="Test Room 1"), say("alice", "Hello world!"),
        do("alice", "create_room", name="Test Room 2"),
        do("alice", "open_room", name="Test Room 1"), do("alice", "reload"),
        see("alice", "Hello world!"), do("alice", "logout"), account("alice", "login"),
        do("alice", "open_room", name="Test Room 1"),
        do("alice", "verify_last_message_is_utd"), do("alice", "clear_idb_storage")]),
    "chat/invited_user_decrypts_prejoin_messages_test.json": (
        "InvitedUserDecryptsPrejoinMessages", COUPLE, [
            both(account("alice"), account("bob")), do("alice", "create_room", name=ROOM),
            do("alice", "change_room_history_visibility", historyVisibility="invited"),
            say("alice", "Bob should not be able to read this as he isn't invited yet"),
            invite("alice", "bob"),
            say("alice", "Bob should be able to read this as he has been invited"),
            do("bob", "accept_invite"),
            see("bob", "Bob should be able to read this as he has been invited")]),
    "chat/invited_users_decrypt_prejoin_messages_test.json": (
        "InvitedUsersDecryptPrejoinMessages",
        {"alice": [EW], "bob": [EW], **{role: [HY] for role in CROWD}}, [
            http("register", 8), both(*[account(role, "login") for role in CROWD]),
            both(account("alice"), account("bob")), do("alice", "create_room", name=ROOM),
            do("alice", "change_room_history_visibility", historyVisibility="invited"),
            say("alice", "Bob should not be able to read this, as he isn't invited yet"),
            *[invite("alice", role) for role in ["bob", *CROWD]],
            do("bob", "accept_invite"),
            say("bob", "Everybody should be able to read this message!"),
            both(*[do(role, "accept_invite") for role in CROWD]),
            both(*[see(role, "Everybody should be able to read this message!")
                   for role in CROWD])]),
    "chat/key_restore_marks_session_as_verified_test.json": (
        "KeyRestoreMarksSessionAsVerified", {"alice_one": [EW], "alice_two": [EW]}, [
            account("alice_one"), do("alice_one", "enable_key_backup", **PASSPHRASE),
            account("alice_two", "login", user="alice_one", **PASSPHRASE),
            do("alice_one", "verify_trusted_device")]),
    "chat/message_decryption_after_storage_cleared_test.json": (
        "MessageDecryptionAfterStorageCleared", COUPLE, [
            account("alice"), account("bob"), do("alice", "create_room", name=ROOM),
            invite("alice", "bob"), do("bob", "accept_invite"),
            do("alice", "clear_idb_storage"), do("alice", "reload"), say("bob", "<text>"),
            see("alice", "<text>")]),
    "chat/message_warning_test.json": ("MessageWarning", COUPLE, [
        both(account("alice"), account("bob")),
        do("bob", "enable_key_backup", **PASSPHRASE),
        do("alice", "create_room", name=ROOM), invite("alice", "bob"),
        do("bob", "accept_invite"),
        say("alice", "Bob should be able to read this message!"),
        do("bob", "logout"), account("bob", "login", **PASSPHRASE),
        do("bob", "open_room", name=ROOM),
        see("bob", "Bob should be able to read this message!"),
        do("bob", "verify_last_message_is_trusted")]),
    "chat/send_messages_test.json": ("SendMessages", {"client_one": [*MOBILE, EW]}, [
        account("client_one"), do("client_one", "create_room", name=ROOM),
        say("client_one", "hi there!"), http("login"), http("sync", method="GET")]),
    "chat/send_messages_across_federation_test.json": (
        "SendMessagesAcrossFederation", COUPLE, [
            both(account("alice", on="alice_server"), account("bob", on="bob_server")),
            do("alice", "create_room", name=ROOM), say("alice", "hi there!"),
            invite("alice", "bob", "bob_server"), do("bob", "accept_invite"),
            see("bob", "hi there!"), say("bob", "Thanks for inviting me alice"),
            see("alice", "Thanks for inviting me alice")]),
    "chat/verify_client_test.json": (
        "VerifyClient", {"alice_one": [EW], "alice_two": [EW, *MOBILE]}, [
            account("alice_one"), account("alice_two", "login", user="alice_one"),
            do("alice_two", "start_crosssign"), do("alice_one", "accept_crosssign"),
            both(do("alice_one", EMOJI), do("alice_two", EMOJI))]),
    "chat/verify_client_multiple_device_test.json": (
        "VerifyClientMultipleDevice", COUPLE, [
            both(account("alice"), account("bob")),
            invite("alice", "bob", action="create_dm"),
            say("alice", "Send a message to ensure DM is created"),
            do("bob", "accept_invite"), invite("bob", "alice", action="start_crosssign"),
            do("alice", "accept_crosssign"), both(do("alice", EMOJI), do("bob", EMOJI))]),
    "network/exit_immediately_test.json": (
        "ExitImmediately", {"alice": [EW], "network_proxy": [NP]},
        [PROXY_TO, wait("5s")]),
    "network/message_decryption_when_own_homeserver_offline_test.json": (
        "MessageDecryptionWhenOwnHomeserverOffline",
        {"alice": [EW], "bob_one": [EW], "bob_two": [EW], "network_proxy": [NP]}, [
            PROXY_TO, account("alice", on="network_proxy"), account("bob_one"),
            do("alice", "create_room", name=ROOM), invite("alice", "bob_one"),
            do("bob_one", "accept_invite"),
            do("network_proxy", "disableEndpoint", endpoint=SYNC),
            account("bob_two", "login", user="bob_one"),
            do("bob_two", "open_room", name=ROOM),
            say("alice", "A random message appears!"),
            do("network_proxy", "enableEndpoint", endpoint=SYNC), wait("5s"),
            both(see("bob_one", "A random message appears!"),
                 see("bob_two", "A random message appears!"))]),
    "network/retry_send_to_device_test.json": ("RetrySendToDevice", PROXIED, [
        PROXY_TO, account("alice", on="network_proxy"),
        do("alice", "create_room", name=ROOM), account("bob"), invite("alice", "bob"),
        do("bob", "accept_invite"),
        do("network_proxy", "disableEndpoint", endpoint=TO_DEVICE),
        say("alice", "A random message appears!"),
        do("network_proxy", "waitUntilEndpointAccessed", endpoint=TO_DEVICE),
        do("bob", "verify_last_message_is_utd"),
        do("network_proxy", "enableEndpoint", endpoint=TO_DEVICE),
        do("network_proxy", "waitUntilEndpointAccessed", endpoint=TO_DEVICE), wait("5s"),
        see("bob", "A random message appears!")]),
    "network/verify_when_to_device_messages_out_of_order_test.json": (
        "VerifyWhenToDeviceMessagesOutOfOrder",
        {"alice_one": [EW], "alice_two": [EW], "network_proxy": [NP]}, [
            PROXY_TO, account("alice_one", on="network_proxy"),
            account("alice_two", "login", user="alice_one", on="network_proxy"),
            do("network_proxy", "delayEndpoint", delay=30000,
               endpoint=TO_DEVICE + "/m.key.verification.ready"),
            do("alice_two", "start_crosssign"), do("alice_one", "accept_crosssign"),
            wait("30s"), both(do("alice_one", EMOJI), do("alice_two", EMOJI))]),
    "video/basic_call_test.json": ("BasicCall", CALLERS, [
        *set_up_call(), wait("5s"), do("alice", "get_call_data"),
        do("bob", "get_call_data"), image("alice", "blue"),
        do("alice", "set_mute", audio_mute=True, video_mute=False),
        do("bob", "get_call_data")]),
    "video/invite_links_one_guest_test.json": ("InviteLinksOneGuest", CALLERS, [
        caller("alice"), display("alice"), *invite_links(bob="bob")]),
    "video/invite_links_registered_test.json": ("InviteLinksRegistered", CALLERS, [
        caller("alice"), caller("bob"), display("alice"), display("bob"),
        *invite_links()]),
    "video/invite_links_two_guests_test.json": ("InviteLinksTwoGuests", CALLERS,
                                                invite_links("alice", "bob")),
    "video/join_call_receive_video_test.json": ("JoinCallReceiveVideo", CALLERS, [
        *set_up_call(), wait("5s"), both(image("alice", "blue"), image("bob", "red")),
        do("alice", "get_call_data"), do("bob", "get_call_data"), image("alice", "green"),
        wait("2s"), do("bob", "get_call_data")]),
    "video/one_of_two_terminated_and_rejoins_test.json": (
        "OneOfTwoTerminatedAndRejoins", CALLERS, [
            *set_up_call(image("alice", "blue"), image("bob", "red")), wait("3s"),
            do("alice", "get_call_data"), do("bob", "get_call_data"),
            do("bob", "recreate", unload_hooks=False), image("bob", "green"), join("bob"),
            do("bob", "lobby_join"), wait("3s"), do("alice", "get_call_data"),
            do("bob", "get_call_data")]),
    "video/rejoin_call_repeatedly_test.json": ("RejoinCallRepeatedly", CALLERS, [
        both(caller("alice"), caller("bob")), display("alice"), display("bob"),
        do("alice", "create_or_join", call_name="<room>"), do("alice", "get_lobby_data"),
        do("alice", "lobby_join"), *itertools.chain(*map(rejoin_round, range(1, 10)))]),
    "video/spotlight_test.json": ("Spotlight", CALLERS, [
        both(caller("alice"), caller("bob")),
        do("alice", "create_or_join", call_name="<room>"), do("alice", "get_lobby_data"),
        join("bob"), both(do("alice", "lobby_join"), do("bob", "lobby_join")),
        wait("5s")]),
}

# What calls look like that are not as they should be, and which tests notice it. In those
# of the second list that is only told at the end.
NOTICED = {
    "video/basic_call_test.json": ["tiles", "caption", "muted", "colour"],
    "video/invite_links_one_guest_test.json": ["colour", "call_name"],
    "video/invite_links_registered_test.json": ["caption", "call_name"],
    "video/invite_links_two_guests_test.json": ["colour", "call_name"],
    "video/join_call_receive_video_test.json": ["tiles", "colour"],
    "video/one_of_two_terminated_and_rejoins_test.json": ["tiles", "colour"],
}
NOTED = {
    "video/invite_links_one_guest_test.json": ["page_url"],
    "video/invite_links_registered_test.json": ["page_url"],
    "video/invite_links_two_guests_test.json": ["page_url"],
    "video/rejoin_call_repeatedly_test.json": ["tiles", "colour", "caption"],
}

# --- the players

RESPONSES = {
    "register": "registered", "login": "logged_in", "logout": "logged_out",
    "start_crosssign": "started_crosssign", "accept_crosssign": "accepted_crosssign",
    EMOJI: "verified_crosssign", "verify_trusted_device": "verified",
    "verify_last_message_is_trusted": "verified",
    "enable_key_backup": "key_backup_enabled",
    "enable_dehydrated_device": "enabled_dehydrated_device",
    "create_room": "room_created", "create_dm": "dm_created", "invite_user": "invited",
    "change_room_history_visibility": "changed", "open_room": "room_opened",
    "accept_invite": "accepted", "send_message": "message_sent",
    "verify_message_in_timeline": "verified", "verify_last_message_is_utd": "verified",
    "advance_clock": "advanced_clock", "clear_idb_storage": "storage_cleared",
    "reload": "reloaded", "set_display_name": "set_display_name",
    "create_or_join": "create_or_join", "join_by_url": "joined_by_url",
    "get_lobby_data": "get_lobby_data", "lobby_join": "lobby_join",
    "get_call_data": "get_call_data", "leave_call": "left_call",
    "set_video_image": "set_image_done", "set_mute": "video_mute_toggled",
    "recreate": "closed", "proxyTo": "proxyToSet", "disableEndpoint": "endpointDisabled",
    "enableEndpoint": "endpointEnabled", "delayEndpoint": "endpointDelayed",
    "waitUntilEndpointAccessed": "endpointAccessed",
}
OWN_RESPONSES = {HY: {"login": "loggedin", "open_room": "room-opened"},
                 EC: {"login": "loggedin"}}


class Calls:
    """Who is in which call, as element-calls see one another."""

    def __init__(self, lie=None):
        self.lie = lie
        self.people = {}  # role -> {image, name, muted, lobby, call}
        self._lock = threading.Lock()

    def act(self, role, action, data):
        """(members of the report, files to upload before it)."""
        with self._lock:
            me = self.people.setdefault(role, {
                "image": "initial", "name": role, "muted": False, "lobby": None,
                "call": None})
            return getattr(self, "_" + action, self._nothing)(me, data)

    def _nothing(self, me, data):
        return {}, {}

    def _set_display_name(self, me, data):
        me["name"] = data["display_name"]
        return {}, {}

    def _create_or_join(self, me, data):
        name = data["call_name"]
        me.update(lobby=name, name=data.get("display_name", me["name"]))
        return {"existing": any(one["call"] == name for one in self.people.values())}, {}

    def _join_by_url(self, me, data):
        name = re.fullmatch(r"https://call\.example/(\w+)\?invited&", data["call_url"])[1]
        me.update(lobby=name, call=None, name=data.get("display_name", me["name"]))
        return {}, {}

    def _lobby_join(self, me, data):
        me.update(call=me["lobby"])
        return {}, {}

    def _leave_call(self, me, data):
        me.update(call=None, lobby=None)
        return {}, {}

    def _recreate(self, me, data):
        me.update(call=None, lobby=None, image="initial")
        return {}, {}

    def _set_video_image(self, me, data):
        me["image"] = data["image"]
        return {}, {}

    def _set_mute(self, me, data):
        me["muted"] = data["audio_mute"]
        return {"data": {"was_video_muted": False}}, {}

    def _place(self, name, me):
        differs = self.lie == "page_url" and me is self.people.get("bob")
        return {"page_url": f"https://call.example/{name}?{'via=bob' * differs}&",
                "invite_url": f"https://call.example/{name}?invited&",
                "call_name": "lied" if self.lie == "call_name" else name}

    def _get_lobby_data(self, me, data):
        snapshot = f"{uuid.uuid4()}.png"
        return {"data": {"videomuted": False, "muted": me["muted"], "snapshot": snapshot,
                         **self._place(me["lobby"], me)},
                "_upload_files": {snapshot: "/tmp/x.png"}}, {snapshot: png("initial")}

    def _get_call_data(self, me, data):
        files, videos = {}, []
        people = [one for one in self.people.values() if one["call"] == me["call"]]
        if self.lie == "tiles":
            people.append(dict(me, name="a third one"))
        for one in people:
            snapshot = f"{uuid.uuid4()}.png"
            colour = "connecting" if self.lie == "colour" else one["image"]
            files[snapshot] = png(colour)
            videos.append({"caption": "nobody" if self.lie == "caption" else one["name"],
                           "muted": one["muted"] or self.lie == "muted",
                           "snapshot": snapshot, "avatar": False})
        return {"data": {"videos": videos, **self._place(me["call"], me)},
                "_upload_files": {name: "/tmp/" + name for name in files}}, files


class Play:
    """One case, from its first action to its end: what was asked of whom, and when."""

    def __init__(self, steps, calls):
        self.calls = calls
        self.steps = steps  # [{roles that act together}]
        self.given = {}  # role -> [(action, data)]
        self.reported = {}  # role -> how many reports were sent
        self.problems = []
        self._news = threading.Condition()

    def _step(self, role, number):
        """The step in which the role does something for this (0, 1 …) time."""
        mine = [index for index, roles in enumerate(self.steps) if role in roles]
        return mine[number] if number < len(mine) else None

    def _done(self, step):
        """How often each role of the step acts until it is over."""
        return {role: sum(role in roles for roles in self.steps[:step + 1])
                for role in self.steps[step]}

    def take(self, role, action, data):
        """Somebody was asked: nothing before may be unfinished, and who acts at the same
        time is asked before anybody has reported."""
        with self._news:
            mine = self.given.setdefault(role, [])
            mine.append((action, data))
            self._news.notify_all()
            step = self._step(role, len(mine) - 1)
            if step is None:
                return  # one too many: the lists will not be equal
            for earlier in range(step):
                if any(self.reported.get(other, 0) < times
                       for other, times in self._done(earlier).items()):
                    self.problems.append(f"{role} was asked to {action} too early")
            together_with = self._done(step).items()
            if not self._news.wait_for(
                    lambda: all(len(self.given.get(other, [])) >= times
                                for other, times in together_with), 5 * PATIENCE):
                self.problems.append(f"{role} was asked to {action} alone")

    def answer(self, role, action, data):
        members, files = self.calls.act(role, action, data)
        with self._news:
            self.reported[role] = self.reported.get(role, 0) + 1
        return members, files


class Player(Client):
    """A client of a role that does all it is asked to, as far as one can see."""

    def play_role(self, role, play):
        while True:
            found = self.poll()
            action, data = found["action"], found["data"]
            if action == "exit":
                return
            if action == "idle":
                continue
            play.take(role, action, data)
            if "homeserver_url" in data:
                self.visit_homeserver(action, data, play)
            members, files = play.answer(role, action, data)
            self.send(action, members, files, play)

    def visit_homeserver(self, action, data, play):
        """Make the user, or log in as one that exists."""
        user = {"username": data["username"], "auth": {"type": "m.login.dummy"}}
        if action == "login":
            user = {"type": "m.login.password",
                    "identifier": {"type": "m.id.user", "user": data["username"]}}
        answer = request(data["homeserver_url"]["local"].rstrip("/"), "POST",
                         f"/_matrix/client/v3/{action}", {**user,
                                                          "password": data["password"]})
        if answer.status != 200:
            play.problems.append(f"{action} at the homeserver: {answer.body!r}")

    def send(self, action, members, files, play):
        if files:
            kind, body = multipart(files)
            answer = self.call("POST", "upload", body, {"Content-Type": kind})
            if answer.status != 200:
                play.problems.append(f"upload: {answer.status} {answer.body[:300]!r}")
        if self.type in MOBILE:
            answer = self.call("POST", "respond", b"")
        else:
            response = OWN_RESPONSES.get(self.type, {}).get(action, RESPONSES.get(action))
            answer = self.call("POST", "respond", {"response": response, **members})
        if answer.status != 200:
            play.problems.append(f"respond: {answer.status} {answer.body[:300]!r}")


# --- from the table to what has to be seen


def server_types():
    """Every type of server that a shipped test asks for."""
    found = set()
    for path in SUITES.rglob("*_test.json"):
        servers = json.loads(without_comments(path.read_text())).get("servers")
        found.update([servers["type"]] if servers else [])
    return found


def is_acting(step):
    """Whether clients do something, and not the server by itself."""
    return step[0][0] not in ("http", "wait")


def waits(steps):
    """(steps of clients before, duration) of every wait."""
    return [(sum(map(is_acting, steps[:index])), duration)
            for index, step in enumerate(steps)
            for what, duration, _ in step if what == "wait"]


def drawn_waits(drawing, roles):
    """The same, as the drawing of the first case says."""
    found, before = [], 0
    nodes = re.findall(r'(?m)^ *"(\d+) [^"]*" \[label=<(.*)>, class=', drawing)
    for _, label in sorted(nodes, key=lambda node: int(node[0])):
        if duration := re.search(r"<TD>wait (\S+)</TD>", label):
            found.append((before, duration[1]))
        before += re.search(rf'<TD>(?:{"|".join(roles)}): ', label) is not None
    return found


def for_types(steps, types):
    """The steps as these client types are asked: who can't register logs in, after the
    server has made the user."""
    done = []
    for step in steps:
        mobile = [role for role, action, _ in step
                  if action == "register" and types.get(role) in MOBILE]
        done.extend(http("register") + http("logout") for _ in mobile)
        done.append([(role, "login" if role in mobile else action, data)
                     for role, action, data in step])
    return done


def fill(value, known):
    """The value with every <name> replaced by what is known of it."""
    if isinstance(value, dict):
        return {name: fill(one, known) for name, one in value.items()}
    if isinstance(value, str):
        return re.sub(r"<([\w.]+)>", lambda found: known.get(found[1], found[0]), value)
    return value


class TableTest(ServerTest):
    """Plays what the table has; the tests are those of the classes below."""
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.matrices = [Matrix("hs1"), Matrix("hs2")]
        for matrix in self.matrices:
            self.addCleanup(matrix.close)

    def start_test(self, path, **changes):
        """Start the server on this test alone, against the stand-ins."""
        servers = " ".join(f"{one.name}={self.local(one)}" for one in self.matrices)
        config = {"tests": {"path": SUITES / path, "wait-scale": 0.01},
                  **{f"server-type {name}": {"servers": servers}
                     for name in server_types()},
                  **changes}
        self.start(config=config)

    @staticmethod
    def local(matrix):
        """As a server on this machine is named, so that there is a name for emulators."""
        return matrix.url.replace("127.0.0.1", "localhost")

    def known(self, types, given):
        """What the names of the table stand for: servers, and what the case has made up.
        Users have the names that are promised; their passwords are those of their first
        use."""
        known = {}
        homeservers = {"server": self.matrices[0], "alice_server": self.matrices[0],
                       "bob_server": self.matrices[1]}
        for name, matrix in homeservers.items():
            known[f"{name}.cs_api"] = self.local(matrix)
            known[f"{name}.name"] = matrix.name
        known["network_proxy.cs_api"] = self.local(self.matrices[0]) + "/"
        for name in list(known):
            if name.endswith(".cs_api"):
                known[name.replace(".cs_api", ".docker")] = known[name].replace(
                    "localhost", "10.0.2.2")
        everything = [data for role in given for _, data in given[role]]
        nonces = set(re.findall(r"user_[a-z_]+_([0-9a-f]{8})\b", json.dumps(everything)))
        self.assertLessEqual(len(nonces), 1, "a case has one nonce")
        for role in types:
            localpart = f"user_{role}_{''.join(nonces)}"
            known[f"{role}.localpart"] = localpart
            for data in everything:
                if localpart in (data.get("username"), data.get("localpart")):
                    known.setdefault(f"{role}.password", data["password"])
        for data in everything:
            if "call_name" in data:
                known.setdefault("room", data["call_name"])
                known.setdefault("invite",
                                 f"https://call.example/{known['room']}?invited&")
            if data.get("message", "").startswith("Alice should be able to"):
                known.setdefault("text", data["message"])
        return known

    def play_case(self, types, steps, calls=None):
        """Clients of these types play the next case of the server; gives the play."""
        acting = [{role for role, *_ in step} for step in steps if is_acting(step)]
        play = Play(acting, calls or Calls())
        players = []
        for role, type in types.items():
            player = Player(self.daemon.url, type)
            self.addCleanup(player.close)
            more = {"endpoint": self.local(self.matrices[0]) + "/"} if type == NP else {}
            players.append((role, player.register(version="1.0", **more)))
        together(*[lambda role=role, player=player: player.play_role(role, play)
                   for role, player in players])
        return play

    def check_case(self, index, types, steps, play):
        """What was given to each role, and asked of the servers, is what stands in the
        table."""
        case = self.daemon.case(index)
        self.assertEqual({role: one["type"] for role, one in case["roles"].items()},
                         types)
        known = self.known(types, play.given)
        for role in types:
            expected = [(action, fill(data, known)) for step in steps
                        for who, action, data in step if who == role]
            self.assertEqual(play.given.get(role, []), expected,
                             f"what {role} was asked to do")
        asked = [(method, path) for matrix in self.matrices
                 for method, path, _ in matrix.asked if "/r0/" in path]
        self.assertEqual(asked, [(method, path) for step in steps
                                 for who, method, path in step if who == "http"])
        self.assertEqual([v for matrix in self.matrices for v in matrix.violations], [])
        self.assertEqual(play.problems, [])
        self.assertEqual((case["state"], case["message"]), ("success", ""))
        if "room" in known:
            self.assertRegex(known["room"], r"^tl_chat_\w+$")

    def run_table(self, path, table):
        name, roles, steps = TESTS[table]
        self.start_test(path)
        suite, = self.daemon.status()["suites"]
        self.assertEqual((suite["name"], suite["file"].rpartition("suites/")[2]),
                         (name, path))
        all_types = [dict(zip(roles, types))
                     for types in itertools.product(*roles.values())]
        self.assertEqual([case["name"] for case in suite["cases"]],
                         [" ".join(f"{role}={type}" for role, type in types.items())
                          for types in all_types])
        for index, types in enumerate(all_types):
            with self.subTest(suite["cases"][index]["name"]):
                for matrix in self.matrices:
                    matrix.requests.clear()
                wanted = for_types(steps, types)
                play = self.play_case(types, wanted)
                self.check_case(index, types, wanted, play)
        self.assertTrue(self.daemon.status()["server"]["done"])


class CatalogueTest(TableTest):
    """A test for each row of the table; they are made below."""


def make_test(path):
    def test(self):
        self.run_table(path, path)
        _, roles, steps = TESTS[path]
        drawing = self.command("graph", SUITES / path).stdout
        self.assertEqual(drawn_waits(drawing, roles), waits(steps))

    return test


for row in TESTS:
    setattr(CatalogueTest, "test_" + re.sub(r"\W", "_", row.removesuffix("_test.json")),
            make_test(row))


class StatesTest(TableTest):
    """The same tests in the form of states."""

    def test_message_warning(self):
        name = "message_warning_test.json"
        self.run_table("states/" + name, "chat/" + name)

    def test_verify_when_to_device_messages_out_of_order(self):
        name = "verify_when_to_device_messages_out_of_order_test.json"
        self.run_table("states/" + name, "network/" + name)


class NoticeTest(TableTest):
    """Calls that are not as they should be do not pass."""

    def notice(self, path, lie):
        _, roles, steps = TESTS[path]
        self.start_test(path)
        types = {role: type for role, (type,) in roles.items()}
        play = self.play_case(types, steps, Calls(lie))
        case = self.daemon.case()
        self.assertEqual(case["state"], "failed", case["message"])
        self.assertEqual(junit_outcome(self.daemon.junit()).kind, "failure")
        asked = sum(len(given) for given in play.given.values())
        return asked, sum(len(step) for step in steps if is_acting(step))

    def test_noticed_at_once(self):
        for path, lies in NOTICED.items():
            for lie in lies:
                with self.subTest(path, lie=lie):
                    self.notice(path, lie)
                    self.daemon.stop()

    def test_told_at_the_end(self):
        for path, lies in NOTED.items():
            for lie in lies:
                with self.subTest(path, lie=lie):
                    asked, all_of_them = self.notice(path, lie)
                    self.assertEqual(asked, all_of_them)
                    self.daemon.stop()

    def test_a_room_of_another_name(self):
        for matrix in self.matrices:
            matrix.room = "another room"
        path = "chat/send_messages_test.json"
        _, _, steps = TESTS[path]
        self.start_test(path)
        types = {"client_one": EW}
        self.play_case(types, steps)
        case = self.daemon.case(2)
        self.assertEqual(case["state"], "failed", case["message"])
        self.assertIn(ROOM, case["message"])

    def test_a_phone_that_can_not_make_rooms(self):
        """It dies of an action that it does not know."""
        self.start_test("chat/send_messages_test.json", timeouts={"step": "1s"})
        phone = self.client("element-android")
        phone.expect("login")
        self.assertTaken(phone.call("POST", "respond", b""))
        phone.expect("create_room")
        self.assertOutcome("error", "client_one", "element-android", "create_room")


if __name__ == "__main__":
    unittest.main()
