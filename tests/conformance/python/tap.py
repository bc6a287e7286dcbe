# SPDX-License-Identifier: Apache-2.0
"""Runs tests and prints TAP.

    python tap.py FOLDER            all of a folder
    python tap.py --list FOLDER     their names, one a line
    python tap.py --names NAME...   these, which are found from the current folder
"""
import os
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


def each(suite):
    """The tests of a suite and of those in it."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def main():
    sys.path.insert(0, os.getcwd())
    loader = unittest.defaultTestLoader
    if sys.argv[1] == "--list":
        print("\n".join(test.id() for test in each(loader.discover(sys.argv[2], top_level_dir="."))))
        return 0
    tests = loader.loadTestsFromNames(sys.argv[2:]) if sys.argv[1] == "--names" else loader.discover(sys.argv[1])
    result = Tap()
    tests.run(result)
    print(f"1..{result.number}")
    return not result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(main())
