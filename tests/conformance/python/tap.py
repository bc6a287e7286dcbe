# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a folder and prints TAP: python tap.py FOLDER"""
import sys
import unittest


class Tap(unittest.TestResult):
    """One line a test; below a failure, why."""

    number = 0

    def line(self, word, test, more=""):
        self.number += 1
        print(f"{word} {self.number} - {test.id()}{more}", flush=True)

    def addSuccess(self, test):
        self.line("ok", test)

    def addSkip(self, test, reason):
        self.line("ok", test, f" # SKIP {reason}")

    def failed(self, test, error):
        self.line("not ok", test)
        for line in self._exc_info_to_string(error, test).splitlines()[-25:]:
            print("# " + line)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.failed(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self.failed(test, error)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.failed(subtest, error)


def main():
    result = Tap()
    unittest.defaultTestLoader.discover(sys.argv[1]).run(result)
    print(f"1..{result.number}")
    return not result.wasSuccessful()


sys.exit(main())
