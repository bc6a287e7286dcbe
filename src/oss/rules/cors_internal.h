/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, for cors_document.c, which reads and writes them, and cors.c, which judges by them. */
#ifndef OSS_RULES_CORS_INTERNAL_H
#define OSS_RULES_CORS_INTERNAL_H

#include "base/arena.h"
#include "base/limits.h"
#include "oss/rules/cors.h"

#define CORS_METHODS 5 /* GET, PUT, DELETE, POST, HEAD */

/* A list of texts in document order; as a pattern, each may hold one `*`. */
struct cors_text {
	struct slice text;
	struct cors_text *next;
};

struct cors_texts {
	struct cors_text *first;
	struct cors_text *last;
};

struct cors_rule {
	struct cors_texts origins;
	struct cors_texts headers;
	struct cors_texts expose;
	struct slice methods[CORS_METHODS]; /* in document order, each once */
	size_t method_count;
	bool has_max_age;
	uint64_t max_age;
};

struct cors {
	struct arena arena;
	size_t rule_count;
	bool has_vary; /* the document says it, one way or the other */
	bool vary;
	const char *fault;          /* the element that was refused, or NULL */
	struct strbuf *fault_value; /* gets what stood in it; or NULL */
	struct cors_rule rules[LIMIT_CORS_RULES];
};

/* Printable ASCII without the characters of `except`, and not empty. */
bool cors_is_printable(struct slice text, struct slice except);

#endif
