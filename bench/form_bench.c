/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast form_feed() takes the content of a file part: GB/s for several kinds of content, fed
 * in pieces of 256 KiB as the network does. The median of several runs is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "http/form.h"

#define PIECE_BYTES KIB(256)
#define PIECES 16 /* 4 MiB: the cache of a core does not hold all */
#define ROUNDS 64
#define RUNS 7

static const char browser_boundary[] = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

struct content {
	const char *name;
	const char *boundary;
	void (*fill)(char *at, size_t len, const char *boundary);
};

static void fill_random(char *at, size_t len, const char *boundary)
{
	(void)boundary;
	uint64_t x = 88172645463325252u;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		at[i] = (char)(x >> 24);
	}
}

static void fill_pattern(char *at, size_t len, const char *pattern, size_t pattern_len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = pattern[i % pattern_len];
}

static void fill_cr(char *at, size_t len, const char *boundary)
{
	(void)boundary;
	memset(at, '\r', len);
}

static void fill_crlf(char *at, size_t len, const char *boundary)
{
	(void)boundary;
	fill_pattern(at, len, "\r\n", 2);
}

/* Lines of 64 characters. */
static void fill_text(char *at, size_t len, const char *boundary)
{
	(void)boundary;
	char line[66];
	memset(line, 'x', sizeof line);
	memcpy(line + 64, "\r\n", 2);
	fill_pattern(at, len, line, sizeof line);
}

static size_t delimiter(char *at, const char *boundary)
{
	size_t len = strlen(boundary);
	memcpy(at, "\r\n--", 4);
	memcpy(at + 4, boundary, len);
	return len + 4;
}

/* The delimiter with its last byte wrong, again and again. */
static void fill_wrong_last(char *at, size_t len, const char *boundary)
{
	char near[LIMIT_BOUNDARY_BYTES + 4];
	size_t near_len = delimiter(near, boundary);
	near[near_len - 1] ^= 1;
	fill_pattern(at, len, near, near_len);
}

/* The delimiter with the last byte but one wrong. */
static void fill_wrong_last_but_one(char *at, size_t len, const char *boundary)
{
	char near[LIMIT_BOUNDARY_BYTES + 4];
	size_t near_len = delimiter(near, boundary);
	near[near_len - 2] ^= 1;
	fill_pattern(at, len, near, near_len);
}

/* Half of the delimiter, again and again. */
static void fill_half(char *at, size_t len, const char *boundary)
{
	char near[LIMIT_BOUNDARY_BYTES + 4];
	fill_pattern(at, len, near, delimiter(near, boundary) / 2);
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void feed_all(struct form *form, struct slice in, uint64_t *content_bytes)
{
	struct form_event event;
	enum form_result result;
	while ((result = form_feed(form, &in, &event)) != FORM_MORE) {
		if (result == FORM_DATA)
			*content_bytes += event.data.len;
		else if (result != FORM_PART)
			abort();
	}
}

static double one_run(const char *boundary, const char *content)
{
	static const char headers[] = "\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
	static struct form form;
	uint64_t content_bytes = 0;
	form_init(&form, slice_str(boundary));
	feed_all(&form, S("--"), &content_bytes);
	feed_all(&form, slice_str(boundary), &content_bytes);
	feed_all(&form, slice_of(headers, sizeof headers - 1), &content_bytes);
	double start = seconds();
	for (size_t i = 0; i < (size_t)ROUNDS * PIECES; i++)
		feed_all(&form, slice_of(content + i % PIECES * PIECE_BYTES, PIECE_BYTES),
			&content_bytes);
	return (double)content_bytes / (seconds() - start) / 1e9;
}

int main(void)
{
	static const struct content contents[] = {
		{"random bytes", browser_boundary, fill_random},
		{"text lines of 64", browser_boundary, fill_text},
		{"all CR", browser_boundary, fill_cr},
		{"all CR, boundary of 1 byte", "b", fill_cr},
		{"all CRLF", browser_boundary, fill_crlf},
		{"all CRLF, boundary of 1 byte", "b", fill_crlf},
		{"delimiters, last byte wrong", browser_boundary, fill_wrong_last},
		{"delimiters, last but one wrong", browser_boundary, fill_wrong_last_but_one},
		{"the same, boundary of 2 bytes", "ab", fill_wrong_last_but_one},
		{"half delimiters", browser_boundary, fill_half},
	};
	SCOPED_FREE char *content = malloc(PIECES * PIECE_BYTES);
	if (!content)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		double rates[RUNS];
		contents[i].fill(content, PIECES * PIECE_BYTES, contents[i].boundary);
		for (int k = 0; k < RUNS; k++)
			rates[k] = one_run(contents[i].boundary, content);
		qsort(rates, RUNS, sizeof rates[0], by_value);
		printf("%-32s %6.1f GB/s\n", contents[i].name, rates[RUNS / 2]);
	}
	return 0;
}
