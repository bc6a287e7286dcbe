/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which data rows refer to, and which objects there are: in a file of SQLite in a temporary folder,
 * about 100 bytes for each. Errors are sticky: references_err() says whether all has gone well.
 */
#ifndef STORE_RADOS_FSCK_REFERENCES_H
#define STORE_RADOS_FSCK_REFERENCES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/slice.h"

struct references;

enum reference_kind {
	REFERENCE_ROW,     /* of an object, a version or a part */
	REFERENCE_GARBAGE, /* a row of garbage */
	REFERENCE_OTHER,   /* something that makes it no orphan, and no more */
};

struct reference {
	enum reference_kind kind;
	uint64_t data;
	bool is_small;   /* in which pool it is */
	uint64_t chunks; /* 0: however many there are */
	uint64_t bucket;
	uint64_t tablet;
	struct slice row; /* the key of the row */
};

struct data_object {
	bool is_small;
	uint64_t data;
	uint64_t chunk;
};

/* A file in that folder. ERR_INTERNAL, logged. */
enum err references_open(const char *folder, struct references **ret) MUST_USE;
/* NULL is allowed. */
void references_close(struct references *refs);
enum err references_err(const struct references *refs);

/* What is added behind a begin is kept, or dropped. */
void references_begin(struct references *refs);
void references_keep(struct references *refs);
void references_drop(struct references *refs);
/* The same, around any number of these. */
void references_begin_all(struct references *refs);
void references_keep_all(struct references *refs);
void references_drop_all(struct references *refs);
void references_add(struct references *refs, const struct reference *reference);
void references_add_object(struct references *refs, const struct data_object *object);
/* A tablet that was listed, or that a bucket has led to. */
void references_add_tablet(
	struct references *refs, uint64_t bucket, uint64_t tablet, bool is_reached);

/* All has been added; more may be. */
void references_sort(struct references *refs);
/* How much data has a reference of that kind. */
uint64_t references_count(struct references *refs, enum reference_kind kind);
/* Objects that nothing refers to. May add references meanwhile. */
void references_each_orphan(struct references *refs,
	bool (*orphan)(const struct data_object *object, void *ctx), void *ctx);
/*
 * References of rows to data that has another one; `is_garbage`: which garbage names, too. They
 * come together for each data.
 */
void references_each_double(struct references *refs,
	bool (*reference)(const struct reference *reference, bool is_garbage, void *ctx),
	void *ctx);
/* Tablets that were listed, and not reached. May add some meanwhile. */
void references_each_lone_tablet(struct references *refs,
	bool (*tablet)(uint64_t bucket, uint64_t tablet, void *ctx), void *ctx);

#endif
