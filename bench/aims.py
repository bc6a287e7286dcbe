# SPDX-License-Identifier: Apache-2.0
"""What was to be reached, and whether it was."""


class Aims:
    def __init__(self):
        self.rows = []

    def at_least(self, what, value, aim):
        self.add(what, value, f"at least {aim}", value >= aim)

    def at_most(self, what, value, aim):
        self.add(what, value, f"at most {aim}", value <= aim)

    def add(self, what, value, aim, reached):
        self.rows.append(f"| {what} | {value:.2f} | {aim} | {'yes' if reached else '**no**'} |")

    def tell(self, report):
        report.add("### Aims")
        report.add()
        report.add("| | is | aim | reached |")
        report.add("|---|---:|---|---|")
        for row in self.rows:
            report.add(row)
        report.add()
