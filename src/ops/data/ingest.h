/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part that PutObject, PostObject, UploadPart and AppendObject share: bytes that become an
 * object or a piece of one, and what follows once it is durable: the callback, and the answer.
 * CompleteMultipartUpload joins in there.
 *
 * The object stays if the callback fails; the client then gets status 203 (spec: callback section
 * 8). If the client goes away before the last byte nothing is stored; if it goes away later the
 * object is stored and the callback sent all the same.
 */
#ifndef OPS_DATA_INGEST_H
#define OPS_DATA_INGEST_H

#include "ops/data/object_headers.h"
#include "ops/request.h"
#include "oss/callback/callback_message.h"
#include "oss/callback/callback_params.h"
#include "oss/image_info.h"

struct ingest {
	struct request *r;
	struct store_put_spec spec;
	struct store_put *put; /* NULL before ingest_begin and once it is committed or aborted */
	struct store_wait writable;
	bool write_waits;
	bool has_md5;
	unsigned char expect_md5[16];
	uint64_t size;
	uint64_t max_size;
	uint64_t size_at_most; /* as far as is known before it comes; 0: as far as the hint says */
	struct store_put_commit commit;
	struct image_info image;

	struct callback_params *callback; /* NULL: none */
	struct slice ticket; /* ops/data/callback_ticket.h: the one that it may carry; or empty */
	struct slice mime_type; /* in the request's arena */
	struct slice (*custom)(void *ctx, struct slice name);
	void *custom_ctx;
	struct strbuf message;
	struct callback_job job;

	/* Answers a success that has no callback; the headers of the object are already there. */
	void (*answer)(struct request *r, struct ingest *u);
};

/*
 * Starts the object r->address.key, or the part or appending that u->spec says by kind, upload,
 * part and position. Takes all the memory that the upload needs to come to its end, callback
 * included. `h` is read, not kept; a part has none (NULL). u->callback, mime_type, custom,
 * max_size and answer are set by the caller before. On an error it has been answered: false.
 */
bool ingest_begin(struct ingest *u, struct request *r, const struct object_headers *h,
	uint64_t size_hint) MUST_USE;
/* One more piece. Pauses the body while the store is busy. May answer. */
void ingest_write(struct ingest *u, struct slice piece);
/* That was all: makes the object durable and answers, now or later. */
void ingest_finish(struct ingest *u);

/* For an object that has come about in another way: instead of ingest_begin(). */
void ingest_init(struct ingest *u, struct request *r);
/* And instead of ingest_finish(): u->commit.object is durable; sends the callback, or answers. */
void ingest_stored(struct ingest *u);

/* Frees everything; what is not committed leaves nothing behind. From op->release. */
void ingest_release(struct ingest *u);

#endif
