/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends signed requests as fast as a server takes them (load.h):
 *
 *	rest_load PORT METHOD TARGET SIZE CONNECTIONS SECONDS REQUESTS SIGN RUN KEYS
 *
 * The mark in TARGET (16 `#`) becomes the number of the request, of the run named RUN; if KEYS is
 * not 0 the numbers are those of the first KEYS requests again, in an order that jumps about.
 * 16 `~` become the number scrambled, so that the order of keys looks like chance. `@@@@@` in
 *TARGET becomes the request's number in decimal digits.
 *
 * SIGN is `-`, or `WORD:ID:SECRET`: signed with HMAC-SHA1 as version 1 of OSS's signatures and
 * version 2 of S3's, which differ in the WORD (OSS, AWS), and over the whole target if it has one
 * of their sub-resources, which is all that is asked for here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hmac.h"
#include "http/date.h"
#include "load.h"

#define DECIMAL "@@@@@"

struct rest {
	const char *method;
	const char *target;
	uint16_t port;
	uint64_t size;
	uint64_t run;
	uint64_t keys;
	struct slice word; /* empty: not signed */
	struct slice id;
	struct slice secret;
	int64_t second;
	char date[DATE_SIZE];
	struct strbuf resource;
	struct strbuf to_sign;
};

static void add_target(struct rest *rest, uint64_t number)
{
	struct strbuf *out = &rest->resource;
	char digits[24];
	if (rest->keys)
		number = number * 2654435761u % rest->keys + 1;
	strbuf_clear(out);
	strbuf_adds(out, rest->target);
	size_t mark = slice_find_slice(strbuf_slice(out), S(LOAD_MARK));
	if (mark < out->len)
		load_mark(out->ptr + mark, rest->run, number);
	mark = slice_find_slice(strbuf_slice(out), S(LOAD_RANDOM_MARK));
	if (mark < out->len)
		load_random_mark(out->ptr + mark, rest->run, number);
	struct slice target = slice_str(rest->target);
	mark = slice_find_slice(target, S(DECIMAL));
	if (mark == target.len)
		return;
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	strbuf_truncate(out, mark);
	strbuf_add(out, digits, (size_t)len);
	strbuf_add_slice(out, slice_from(target, mark + strlen(DECIMAL)));
}

/* What of the target is signed: the query counts only if it names a sub-resource. */
static struct slice signed_target(const struct rest *rest)
{
	struct slice target = strbuf_slice(&rest->resource);
	size_t query = slice_find(target, '?');
	bool counts = slice_find_slice(target, S("uploadId=")) < target.len;
	return counts ? target : slice_head(target, query);
}

static void add_signature(struct rest *rest, struct strbuf *out)
{
	unsigned char mac[SHA1_BYTES];
	struct strbuf *text = &rest->to_sign;
	strbuf_clear(text);
	strbuf_addf(text, "%s\n\n\n%s\n", rest->method, rest->date);
	strbuf_add_slice(text, signed_target(rest));
	hmac_sha1_of(rest->secret, strbuf_slice(text), mac);
	strbuf_addf(out, "Authorization: %.*s %.*s:", SLICE_FMT(rest->word), SLICE_FMT(rest->id));
	base64_encode(out, slice_of((const char *)mac, sizeof(mac)));
	strbuf_adds(out, "\r\n");
}

static void compose(void *ctx, uint64_t number, struct strbuf *out)
{
	struct rest *rest = ctx;
	int64_t now = time(NULL);
	if (now != rest->second) {
		rest->second = now;
		date_format(now, rest->date);
	}
	add_target(rest, number);
	strbuf_addf(out, "%s ", rest->method);
	strbuf_add_slice(out, strbuf_slice(&rest->resource));
	strbuf_addf(out, " HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nDate: %s\r\n", rest->port, rest->date);
	if (rest->word.len)
		add_signature(rest, out);
	if (strcmp(rest->method, "PUT") == 0)
		strbuf_addf(out, "Content-Length: %llu\r\n", (unsigned long long)rest->size);
	strbuf_adds(out, "\r\n");
}

/* False if it is not WORD:ID:SECRET. */
static bool read_sign(struct rest *rest, struct slice text)
{
	if (slice_eq(text, S("-")))
		return true;
	return slice_cut(&text, ':', &rest->word) && slice_cut(&text, ':', &rest->id) &&
	       (rest->secret = text).len > 0;
}

int main(int argc, char **argv)
{
	struct rest rest = {.port = 0};
	if (argc != 11 || !read_sign(&rest, slice_str(argv[8]))) {
		fprintf(stderr, "usage: rest_load PORT METHOD TARGET SIZE CONNECTIONS SECONDS "
				"REQUESTS SIGN RUN KEYS\n");
		return 2;
	}
	rest.port = (uint16_t)load_argument(argc, argv, 1, 0);
	rest.method = argv[2];
	rest.target = argv[3];
	rest.size = load_argument(argc, argv, 4, 0);
	rest.run = load_argument(argc, argv, 9, 0);
	rest.keys = load_argument(argc, argv, 10, 0);
	strbuf_init(&rest.resource, KIB(8));
	strbuf_init(&rest.to_sign, KIB(16));
	struct load load = {
		.program = "rest_load",
		.port = rest.port,
		.connections = (size_t)load_argument(argc, argv, 5, 1),
		.seconds = (int64_t)load_argument(argc, argv, 6, 1),
		.count = load_argument(argc, argv, 7, UINT64_MAX),
		.size = rest.size,
		.compose = compose,
		.ctx = &rest,
	};
	load_run(&load);
	return 0;
}
