# SPDX-License-Identifier: Apache-2.0
"""The stand-in for a Matrix homeserver keeps to what homeservers do."""
import subprocess
import sys
import unittest

from harness import HERE, PATIENCE, request
from matrix_standin import ROOM, Matrix

DUMMY = {"type": "m.login.dummy"}


class MatrixTest(unittest.TestCase):
    def setUp(self):
        self.matrix = self.stand_in()

    def stand_in(self, **more):
        made = Matrix("hs1", **more)
        self.addCleanup(made.close)
        return made

    def ask(self, method, what, body=None, token=None, version="r0", matrix=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return request((matrix or self.matrix).url, method,
                       f"/_matrix/client/{version}/{what}", body, headers)

    def register(self, user="alice", password="secret", **more):
        return self.ask("POST", "register",
                        {"auth": DUMMY, "username": user, "password": password}, **more)

    def login(self, user="alice", password="secret", **more):
        return self.ask("POST", "login", {
            "type": "m.login.password", "password": password,
            "identifier": {"type": "m.id.user", "user": user}}, **more)

    def assertRefused(self, answer, status, code):
        self.assertEqual((answer.status, answer.json.get("errcode")), (status, code))

    def test_a_session_from_its_beginning_to_its_end(self):
        for version in ("r0", "v3"):
            user = "user_" + version
            made = self.register(user, version=version)
            self.assertEqual((made.status, made.json["user_id"]), (200, f"@{user}:hs1"))
            token = made.json["access_token"]
            self.assertEqual(self.ask("GET", "sync", token=token).status, 200)
            self.assertEqual(self.ask("POST", "logout", {}, token).status, 200)
            self.assertRefused(self.ask("GET", "sync", token=token), 401,
                               "M_UNKNOWN_TOKEN")
            for name in (user, f"@{user}:hs1"):
                self.assertEqual(self.login(name, version=version).status, 200)
        self.assertEqual(self.matrix.violations, [])
        self.assertEqual(self.matrix.asked[0],
                         ("POST", "/_matrix/client/r0/register", 200))

    def test_strict_about_users(self):
        self.register()
        self.assertRefused(self.register(), 400, "M_USER_IN_USE")
        self.assertRefused(self.login(password="guess"), 403, "M_FORBIDDEN")
        self.assertRefused(self.login("bob"), 403, "M_FORBIDDEN")
        self.assertRefused(self.login("@alice:elsewhere"), 403, "M_FORBIDDEN")
        self.assertRefused(self.ask("POST", "register", {"username": "x"}), 401,
                           "M_FORBIDDEN")

    def test_strict_about_tokens(self):
        self.assertRefused(self.ask("GET", "sync"), 401, "M_MISSING_TOKEN")
        self.assertRefused(self.ask("GET", "sync", token="x"), 401, "M_UNKNOWN_TOKEN")
        self.assertRefused(self.ask("POST", "logout", {}, "x"), 401, "M_UNKNOWN_TOKEN")

    def test_mistakes_are_noted(self):
        for method, path in (("GET", "//_matrix/client/r0/sync"), ("POST", "/sync"),
                             ("GET", "/_matrix/client/r0/login")):
            answer = request(self.matrix.url, method, path)
            self.assertIn(answer.status, (404, 405))
        self.assertRefused(request(self.matrix.url, "POST", "/_matrix/client/r0/login",
                                   b"{}"), 400, "M_NOT_JSON")
        self.assertRefused(self.ask("POST", "login", {"type": "m.login.token"}), 400,
                           "M_UNKNOWN")
        self.assertEqual(len(self.matrix.violations), 5)

    def test_one_joined_room(self):
        token = self.register().json["access_token"]
        rooms = self.ask("GET", "sync", token=token).json["rooms"]["join"]
        (room,) = rooms.values()
        named = [event for event in room["state"]["events"]
                 if event["type"] == "m.room.name"]
        self.assertEqual([event["content"]["name"] for event in named], [ROOM])

    def test_adopted_users(self):
        matrix = self.stand_in(adopt=True)
        self.assertEqual(self.login(matrix=matrix).status, 200)
        self.assertRefused(self.login(password="guess", matrix=matrix), 403,
                           "M_FORBIDDEN")

    def test_from_the_command_line(self):
        with subprocess.Popen([sys.executable, HERE / "matrix_standin.py", "--adopt",
                               "--lifetime", "1"], stdout=subprocess.PIPE,
                              text=True) as process:
            self.addCleanup(process.kill)
            url = process.stdout.readline().strip()
            answer = request(url, "POST", "/_matrix/client/r0/login", {
                "type": "m.login.password", "user": "alice", "password": "secret"})
            self.assertEqual(answer.status, 200)
            self.assertEqual(process.wait(10 * PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
