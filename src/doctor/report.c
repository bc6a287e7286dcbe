/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/report.h"

#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/text/json_text.h"

#define MESSAGE_BYTES_MAX KIB(16)
#define DOCUMENT_BYTES_MAX MIB(1)

static const char *const words[] = {
	[FINDING_OK] = "ok",
	[FINDING_WARNING] = "warning",
	[FINDING_FAILED] = "failed",
};

void report_init(struct report *report, bool json)
{
	*report = (struct report){.json = json, .worst = FINDING_OK};
	strbuf_init(&report->text, DOCUMENT_BYTES_MAX);
	strbuf_adds(&report->text, "{\"checks\":[");
}

/* One line of UTF-8. */
static void clean(struct strbuf *out, struct slice text)
{
	utf8_repair(out, slice_trim(text));
	for (size_t i = 0; i < out->len; i++)
		if ((unsigned char)out->ptr[i] < 0x20 || out->ptr[i] == 0x7f)
			out->ptr[i] = ' ';
}

void report_add(struct report *report, enum finding finding, const char *check, const char *fix,
	const char *fmt, ...)
{
	SCOPED_STRBUF(raw, MESSAGE_BYTES_MAX);
	SCOPED_STRBUF(message, 3 * MESSAGE_BYTES_MAX);
	va_list ap;
	va_start(ap, fmt);
	strbuf_vaddf(&raw, fmt, ap);
	va_end(ap);
	clean(&message, strbuf_slice(&raw));
	if (finding > report->worst)
		report->worst = finding;
	if (!report->json) {
		printf("%-8s %-10s %s%s%s\n", words[finding], check, message.ptr,
			fix ? " Fix: " : "", fix ? fix : "");
		(void)fflush(stdout);
		return;
	}
	json_comma(&report->text);
	strbuf_addc(&report->text, '{');
	json_member_string(&report->text, "check", slice_str(check));
	json_member_string(&report->text, "result", slice_str(words[finding]));
	json_member_string(&report->text, "message", strbuf_slice(&message));
	if (fix)
		json_member_string(&report->text, "fix", slice_str(fix));
	strbuf_addc(&report->text, '}');
}

void report_end(struct report *report)
{
	if (report->json)
		printf("%s],\"result\":\"%s\"}\n", report->text.ptr, words[report->worst]);
	strbuf_release(&report->text);
}
