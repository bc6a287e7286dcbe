/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a callback, as the application server asks for it (token.c) and as the classic
 * sample does: a form, or a JSON object. Members that are not known are ignored.
 */
#ifndef OSS_CALLBACK_UPLOAD_MESSAGE_H
#define OSS_CALLBACK_UPLOAD_MESSAGE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

struct upload_message {
	struct slice bucket;
	struct slice object; /* `object`, or else `filename`, its classic name */
	struct slice etag;
	struct slice mime_type;
	struct slice image_format;
	struct slice request_id;
	struct slice client_ip;
	struct slice ticket;
	struct slice crc64;       /* decimal: of what the store has, */
	struct slice sent_crc64;  /* and of what was to be sent, as the uploader has said before */
	struct slice sent_sha256; /* likewise claimed; any text */
	int64_t size;             /* -1: not told, as for the next two */
	int64_t width;
	int64_t height;
};

/* The fault that is none of the body's. */
extern const char upload_message_no_memory[];

/*
 * Reads `body`, JSON if `content_type` says so, a form otherwise. What is decoded lies in `arena`.
 * Returns NULL; upload_message_no_memory; or a constant text that says what is wrong: malformed,
 * not UTF-8, a known member twice, a number that is none.
 */
const char *upload_message_parse(struct slice content_type, struct slice body, struct arena *arena,
	struct upload_message *ret) MUST_USE;

#endif
