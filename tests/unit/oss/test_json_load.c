/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for the JSON of anybody is counted, and bounded by the length of the text. */
#include "base/strbuf.h"
#include "oss/text/json_load.h"
#include "tap.h"

/* `count` times `value` in a list. */
static void write_list(struct strbuf *out, const char *value, size_t count)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < count; i++)
		strbuf_addf(out, "%s%s", i > 0 ? "," : "", value);
	strbuf_addc(out, ']');
}

static void counted(void)
{
	struct budget_account account = {.pool = BUDGET_APP};
	struct json_counted read;
	SCOPED_STRBUF(text, MIB(2));
	write_list(&text,
		"{\"PartNumber\":10000,\"ETag\":\"\\\"D41D8CD98F00B204E9800998ECF8427E\\\"\"}",
		10000);
	OK(json_load_counted(strbuf_slice(&text), 0, &account, &read), "there is memory");
	IS_INT(json_array_size(read.value), 10000, "a list of parts is read");
	IS_INT(account.bytes, JSON_COUNTED_FACTOR * text.len + JSON_COUNTED_MORE, "and counted");
	json_counted_release(&read);
	IS_INT(account.bytes, 0, "until it is released");
	OK(json_load_counted(S("[1"), 0, &account, &read) && !read.value, "what is no JSON");
	json_counted_release(&read);
	IS_INT(account.bytes, 0, "is not counted any more");
}

static void dense(void)
{
	struct budget_account account = {.pool = BUDGET_APP};
	struct json_counted read;
	SCOPED_STRBUF(text, MIB(2));
	write_list(&text, "{}", 300000);
	OK(json_load_counted(strbuf_slice(&text), 0, &account, &read), "there is memory");
	OK(!read.value, "a text that would take very much more than its length is refused");
	json_counted_release(&read);
	OK(json_load_counted(S("[{},{},{}]"), 0, &account, &read) && read.value,
		"a short one is not, and one after another is read");
	json_counted_release(&read);
}

static void without_memory(void)
{
	struct budget_account account = {.pool = BUDGET_APP};
	struct json_counted read;
	budget_set(MIB(16));
	SCOPED_STRBUF(text, MIB(2));
	write_list(&text, "1", 500000);
	OK(!json_load_counted(strbuf_slice(&text), 0, &account, &read),
		"what the budget has no room for is not read");
	json_counted_release(&read);
	IS_INT(account.bytes, 0, "and not counted");
	budget_set(0);
}

int main(void)
{
	json_load_init();
	counted();
	dense();
	without_memory();
	return tap_done();
}
