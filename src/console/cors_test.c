/* SPDX-License-Identifier: Apache-2.0 */
#include "console/cors_test.h"

#include "base/limits.h"
#include "console/json_answer.h"
#include "ops/access/cross_origin.h"
#include "ops/respond.h"
#include "oss/text/json_load.h"

struct cors_test {
	json_t *asked; /* owns what the slices below point to */
	struct slice bucket;
	struct cors_request request;
	struct strbuf headers; /* as a browser lists them */
};

/* ---- What is asked ----------------------------------------------------------------------------
 */

/* Text that could stand in a header. */
static bool line_of(const json_t *value, struct slice *ret)
{
	*ret = slice_of(json_string_value(value), json_string_length(value));
	for (size_t i = 0; i < ret->len; i++)
		if ((unsigned char)ret->ptr[i] < 0x20 || ret->ptr[i] == 0x7f)
			return false;
	return json_is_string(value);
}

static bool read_headers(struct cors_test *test, const json_t *list)
{
	size_t i;
	json_t *value;
	if (list && !json_is_array(list))
		return false;
	json_array_foreach(list, i, value)
	{
		struct slice name;
		if (!line_of(value, &name))
			return false;
		strbuf_adds(&test->headers, i ? ", " : "");
		strbuf_add_slice(&test->headers, name);
	}
	test->request.headers = strbuf_slice(&test->headers);
	return !strbuf_broken(&test->headers);
}

static bool read_question(struct cors_test *test, struct slice body)
{
	bool no_memory;
	test->asked = json_load_text(body, JSON_REJECT_DUPLICATES, NULL, &no_memory);
	return line_of(json_object_get(test->asked, "bucket"), &test->bucket) &&
	       line_of(json_object_get(test->asked, "origin"), &test->request.origin) &&
	       line_of(json_object_get(test->asked, "method"), &test->request.method) &&
	       read_headers(test, json_object_get(test->asked, "headers"));
}

/* ---- The answer -------------------------------------------------------------------------------
 */

static json_t *explain_rule(const struct cors *cors, size_t index, const struct cors_request *asked)
{
	struct slice header = {NULL, 0};
	const char *reason = "";
	SCOPED_STRBUF(why, KIB(32));
	switch (cors_rule_explain(cors, index, asked, &header)) {
	case CORS_MATCHES:
		break;
	case CORS_BAD_ORIGIN:
		reason = "origin";
		strbuf_adds(&why, "The origin is none of those that it allows.");
		break;
	case CORS_BAD_METHOD:
		reason = "method";
		strbuf_adds(&why, "It allows the origin, but not the method.");
		break;
	case CORS_BAD_HEADER:
		reason = "header";
		strbuf_addf(&why, "It allows origin and method, but not the header %.*s.",
			SLICE_FMT(header));
		break;
	}
	return json_pack("{s:i, s:b, s:s, s:o, s:o}", "rule", (int)index + 1, "matches",
		reason[0] == '\0', "reason", reason, "header", json_text(header), "why",
		json_text(strbuf_slice(&why)));
}

static json_t *explain_rules(const struct cors *cors, const struct cors_request *asked)
{
	json_t *rules = json_array();
	for (size_t i = 0; cors && i < cors_rule_count(cors); i++)
		(void)json_array_append_new(rules, explain_rule(cors, i, asked));
	return rules;
}

/* The number of the first rule that matches, from 1, or 0. */
static int first_match(const json_t *rules)
{
	for (size_t i = 0; i < json_array_size(rules); i++)
		if (json_is_true(json_object_get(json_array_get(rules, i), "matches")))
			return (int)i + 1;
	return 0;
}

/* Header lines as an object. */
static json_t *headers_object(struct slice lines)
{
	json_t *object = json_object();
	struct slice line, name, value;
	while (lines.len) {
		(void)slice_cut(&lines, '\n', &line);
		(void)slice_cut(&line, ':', &name);
		(void)slice_cut(&line, '\r', &value);
		(void)json_object_setn_new(
			object, name.ptr, name.len, json_text(slice_trim(value)));
	}
	return object;
}

static json_t *answer(
	struct request *r, const struct store_bucket *bucket, const struct cors_request *asked)
{
	struct cors *cors = NULL;
	SCOPED_STRBUF(reason, 512);
	SCOPED_STRBUF(lines, KIB(64));
	enum err e = cross_origin_preflight(r->ops, bucket, asked, &lines);
	const struct err_info *info = err_info(e);
	/* Rules that cannot be read are none: see setting_cache.h. */
	if (bucket->settings[STORE_SETTING_CORS].len &&
		cors_parse(bucket->settings[STORE_SETTING_CORS], &cors, &reason) != ERR_OK)
		cors = NULL;
	json_t *rules = explain_rules(cors, asked);
	cors_free(cors);
	/* The console's own origin is answered before any rule. */
	bool by_rule = e != ERR_OK || !cross_origin_is_console(r->ops, asked->origin);
	return json_pack("{s:i, s:s, s:s, s:o, s:i, s:o}", "status", info->status, "code",
		e == ERR_OK ? "" : info->code, "message", e == ERR_OK ? "" : info->message,
		"headers", headers_object(strbuf_slice(&lines)), "matched",
		by_rule ? first_match(rules) : 0, "rules", rules);
}

static void begin(struct request *r)
{
	struct cors_test *test = r->state;
	strbuf_init(&test->headers, LIMIT_CORS_BODY_BYTES);
}

static void finish(struct request *r)
{
	struct cors_test *test = r->state;
	struct store *store = ops_options(r->ops)->store;
	if (!read_question(test, strbuf_slice(&r->body))) {
		respond_error_text(r, ERR_INVALID_ARGUMENT,
			"The body must be a JSON object with the strings bucket, origin and "
			"method, and a list of strings, headers.");
		return;
	}
	const struct store_bucket *bucket = store_bucket_get(store, test->bucket);
	if (!bucket) {
		respond_detail(r, "BucketName", test->bucket);
		respond_error(r, ERR_NO_SUCH_BUCKET);
		return;
	}
	json_answer(r, answer(r, bucket, &test->request));
	store_bucket_unref(store, bucket);
}

static void release(struct request *r)
{
	struct cors_test *test = r->state;
	json_decref(test->asked);
	strbuf_release(&test->headers);
}

const struct op op_cors_test = {
	.name = "TestCors",
	.method = HTTP_POST,
	.level = OP_SERVICE,
	.access = OP_ACCESS_OWNER,
	.action = "postern:TestCors",
	.body = OP_BODY_WHOLE,
	.max_body = LIMIT_CORS_BODY_BYTES,
	.state_size = sizeof(struct cors_test),
	.begin = begin,
	.finish = finish,
	.release = release,
};
