# SPDX-License-Identifier: Apache-2.0
"""The shipped schemas are true: every shipped file is valid, and what the loader refuses for its
form the schema refuses, too."""
import copy
import unittest

import schemas

DEFINITIONS = sorted(schemas.TOP.glob("contrib/suites/**/*_test.json"))

STEPS = {"name": "A", "clients": {"red": ["x"]}, "steps": [{"red": "dance"}]}
STATES = {"name": "A", "clients": {"red": ["x"]}, "initial": "s",
          "states": {"s": {"actions": {"red": {"action": "dance"}}, "next": "complete"}}}

# What is done to a good definition, and must make it a bad one.
SPOILS = {
    "no name": lambda t: t.pop("name"),
    "a bad name": lambda t: t.update(name="a b"),
    "no clients": lambda t: t.update(clients={}),
    "an unknown member": lambda t: t.update(stats={}),
    "a bad role": lambda t: t.update(clients={"Red": ["x"]}),
    "a type twice": lambda t: t.update(clients={"red": ["x", "x"]}),
    "a bad duration": lambda t: t.update(timeout="soon"),
    "servers without names": lambda t: t.update(servers={"type": "synapse"}),
    "both forms": lambda t: t.update(STEPS if "states" in t else STATES),
}
STEP_SPOILS = {
    "two conditions": {"assert": {"equals": [1, 1], "less": [1, 2]}},
    "one operand": {"assert": {"equals": [1]}},
    "an unknown condition": {"assert": {"is": [1, 1]}},
    "find without save": {"find": "${a.b}"},
    "json and text": {"http": {"url": "http://a/", "json": 1, "text": "x"}},
    "no url": {"http": {"method": "GET"}},
    "a loop without steps": {"repeat": 3, "as": "i"},
    "parallel of nothing": {"parallel": []},
    "an action that is no name": {"red": 5},
}


class FileTest(unittest.TestCase):
    def test_every_shipped_definition_is_valid(self):
        self.assertGreater(len(DEFINITIONS), 2)
        for path in DEFINITIONS:
            with self.subTest(path.name):
                self.assertEqual(schemas.mistakes(schemas.read(path), "definition"), [])

    def test_the_shipped_dictionary_is_valid(self):
        document = schemas.read(schemas.TOP / "contrib" / "dictionary.actions.json")
        self.assertEqual(schemas.mistakes(document, "dictionary"), [])


class BadFormTest(unittest.TestCase):
    def test_definitions(self):
        for form in (STEPS, STATES):
            self.assertEqual(schemas.mistakes(form, "definition"), [])
            for what, spoil in SPOILS.items():
                document = copy.deepcopy(form)
                spoil(document)
                with self.subTest(what):
                    self.assertNotEqual(schemas.mistakes(document, "definition"), [])

    def test_steps(self):
        for what, step in STEP_SPOILS.items():
            with self.subTest(what):
                document = {**STEPS, "steps": [step]}
                self.assertNotEqual(schemas.mistakes(document, "definition"), [])

    def test_dictionaries(self):
        for bad in ({"actions": []}, {"actions": {"a": {"data": {"x": {}}}}},
                    {"actions": {"a": {"unknown": 1}}}, {"more": {}},
                    {"actions": {"a": {"for": {"x": {"types": []}}}}}):
            with self.subTest(bad):
                self.assertNotEqual(schemas.mistakes(bad, "dictionary"), [])

    def test_messages(self):
        good = {"action": "idle", "data": {"delay": 0, "reason": "nothing"}}
        self.assertEqual(schemas.mistakes(good, "messages", "poll_answer"), [])
        for bad in ({"action": "idle"}, {"action": "idle", "data": {"delay": "0", "reason": ""}},
                    {"action": "exit", "data": {}}, {"action": "dance", "data": {}},
                    {"action": "dance", "data": [], "id": "1", "responses": []}):
            with self.subTest(bad):
                self.assertNotEqual(schemas.mistakes(bad, "messages", "poll_answer"), [])


if __name__ == "__main__":
    unittest.main()
