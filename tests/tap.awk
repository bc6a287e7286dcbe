# SPDX-License-Identifier: Apache-2.0
# Counts the results in a TAP log, shows those that failed, and appends "passed failed skipped" to
# the file `counts`. A result that has results below it (a subtest's parent) does not count, unless
# it failed and nothing below it did. `status` is the exit status of the suite.
function indent_of(line) {
	match(line, /^ */)
	return RLENGTH
}
function fail(text) {
	failed++
	print "not ok  " suite ": " text
}
/^ *1\.\.[0-9]+/ && indent_of($0) == 0 {
	plan = substr($1, 4) + 0
	planned = 1
}
/^ *(not )?ok( |$)/ {
	showing = 0
	depth = indent_of($0)
	text = $0
	sub(/^ *(not )?ok *[0-9]* *(- *)?/, "", text)
	bad = ($0 ~ /^ *not /)
	# Results below this one were counted when they came.
	parent = below_bad = 0
	for (d in results) {
		if (d + 0 > depth) {
			parent += results[d]
			below_bad += bads[d]
			delete results[d]
			delete bads[d]
		}
	}
	results[depth]++
	if (depth == 0)
		top++
	if (bad)
		bads[depth]++
	if (text ~ /# *(SKIP|skip)/) {
		if (!parent)
			skipped++
	} else if (bad && !below_bad) {
		fail(text)
		showing = 40
	} else if (!bad && !parent) {
		passed++
	}
	next
}
/^ *(# Subtest|TAP version)/ { showing = 0 }
showing > 0 {
	showing--
	print "        " $0
}
END {
	if (!planned)
		fail("ended without a plan, status " status)
	else if (top != plan)
		fail("planned " plan " results, gave " top + 0)
	else if (status != 0 && !failed)
		fail("status " status)
	print passed + 0, failed + 0, skipped + 0 >> counts
}
