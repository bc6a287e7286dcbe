/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, for lifecycle.c, which judges by them, and lifecycle_parse.c, which makes them. */
#ifndef OSS_RULES_LIFECYCLE_INTERNAL_H
#define OSS_RULES_LIFECYCLE_INTERNAL_H

#include "base/arena.h"
#include "oss/rules/lifecycle.h"

#define DAY_MS INT64_C(86400000)

enum when_kind {
	WHEN_NEVER,
	WHEN_DAYS,   /* that many after `since_ms` */
	WHEN_BEFORE, /* at once, what is older than that time */
	WHEN_DATE,   /* from that time on */
	WHEN_MARKER, /* at once, a delete marker that is alone */
};

struct when {
	enum when_kind kind;
	int64_t value; /* days, or a time in ms */
};

struct tag {
	struct slice key;
	struct slice value;
	struct tag *next;
};

struct rule {
	struct slice id;
	struct slice prefix;
	struct slice status; /* ptr NULL while the document has not said it */
	bool enabled;
	struct tag *tags;
	struct tag **last_tag;
	bool has_filter;
	/* Of a Filter: it is not for objects with this prefix and this tag, ... */
	bool has_not;
	struct slice not_prefix;
	struct tag *not_tag;
	/* ... and only for those of a size between these. */
	bool has_min;
	bool has_max;
	uint64_t greater_than;
	uint64_t less_than;
	bool has_marker_word; /* ExpiredObjectDeleteMarker was there, true or false */
	struct when expiration;
	struct when abort;
	struct when noncurrent;
	struct rule *next;
};

struct lifecycle {
	struct arena arena;
	struct rule *first;
	struct rule *last; /* the one that is being read */
	size_t count;
	bool allow_overlap;
};

/* Whether the rules' prefixes and tags can fit the same object. */
bool lifecycle_rules_overlap(const struct rule *a, const struct rule *b);

#endif
