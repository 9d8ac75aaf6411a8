# SPDX-License-Identifier: Apache-2.0
"""The server is killed while clients work; `make check-crash` does that far more often."""
import unittest

from crash import CrashLoop, options


class CrashTest(unittest.TestCase):
    def kill(self, *arguments):
        chosen = options("--kills", "15", *arguments)
        print(f"seed {chosen.seed}", flush=True)
        wrong = CrashLoop(chosen).run()
        self.assertFalse(wrong, "\n".join(wrong))

    def test_killed_while_clients_work(self):
        self.kill()


if __name__ == "__main__":
    unittest.main()
