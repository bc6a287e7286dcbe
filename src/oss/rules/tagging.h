/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tags of objects and buckets (spec: REST API sections 4 to 6).
 *
 * They are kept in one form, whatever they came in: "key=value&key=value", in the order given,
 * where every byte of a key but A-Z a-z 0-9 - . _ ~ + : / and the space is %HH, and of a value `=`
 * as well. So ten tags of the greatest length fit into 12 KiB. No tags are the empty text.
 */
#ifndef OSS_RULES_TAGGING_H
#define OSS_RULES_TAGGING_H

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

enum tagging_kind {
	TAGGING_OBJECT, /* letters of any script, digits, space and + - = . _ : / */
	TAGGING_BUCKET, /* any text; keys do not begin with http://, https://, Aliyun or acs: */
};

/* How much text the tags of one thing may become. */
#define TAGGING_BYTES ((size_t)48 << 10)

/*
 * Appends the tags of a header x-oss-tagging, "a=1&b", percent-encoded, where `+` is a space.
 * ERR_TAG_FORMAT, ERR_TAG_KEY, ERR_TAG_PREFIX, ERR_TAG_VALUE, ERR_TAG_DUPLICATE,
 * ERR_TOO_MANY_TAGS, counting those that `out` holds; ERR_UNAVAILABLE if it is too small.
 */
enum err tagging_parse_header(
	struct slice text, enum tagging_kind kind, struct strbuf *out) MUST_USE;

/* The same for a document `<Tagging>`; also ERR_MALFORMED_XML, with a sentence in `reason`. */
enum err tagging_parse_xml(struct slice document, enum tagging_kind kind, struct strbuf *out,
	struct strbuf *reason) MUST_USE;

/* Appends the document. */
void tagging_format_xml(struct slice tags, struct strbuf *out);

/* How many there are. */
size_t tagging_count(struct slice tags);

/*
 * Takes the first tag off *rest, which starts as the tags, and puts its decoded key and value into
 * the buffers, whatever they held. False if there is none.
 */
bool tagging_next(struct slice *rest, struct strbuf *key, struct strbuf *value);

/* Whether there is a tag with that key and that value, both as they are. */
bool tagging_has(struct slice tags, struct slice key, struct slice value);

#endif
