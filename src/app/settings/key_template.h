/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder that a grant is for, and the name of a file in it, with places for what is known only
 * when it is asked for:
 *
 *	users/${sub}/${yyyy}/${mm}/        ${uuid}${ext}
 *
 * ${yyyy}, ${mm}, ${dd}, ${hh} and ${date} are the time in UTC, and ${uuid} is a new one each time.
 * In the name of a file ${name} and ${ext} are those of the file (file_name.h); any other name is a
 * claim of the caller's token. A value never leaves its place: a claim that could is refused and
 * not changed, so that two callers never share a folder. Any thread.
 */
#ifndef APP_SETTINGS_KEY_TEMPLATE_H
#define APP_SETTINGS_KEY_TEMPLATE_H

#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"
#include "base/strbuf.h"

#define KEY_TEMPLATE_PIECES_MAX (2 * (LIMIT_CLAIMS + 8))

enum key_piece_kind {
	KEY_LITERAL,
	KEY_YEAR,
	KEY_MONTH,
	KEY_DAY,
	KEY_HOUR,
	KEY_DATE,
	KEY_UUID,
	KEY_FILE_NAME,
	KEY_FILE_EXT,
	KEY_CLAIM,
};

struct key_piece {
	enum key_piece_kind kind;
	struct slice text; /* of a KEY_LITERAL */
	size_t claim;      /* of a KEY_CLAIM: which */
};

/* Borrows the text that it was read from. All-zero is the empty folder. */
struct key_template {
	size_t count;
	struct key_piece pieces[KEY_TEMPLATE_PIECES_MAX];
	size_t claim_count;
	struct slice claims[LIMIT_CLAIMS]; /* their names, each once */
	bool has_file;                     /* ${name} or ${ext} is there */
};

/* What stands in the places. */
struct key_values {
	const struct slice *claims; /* by the numbers of the pieces */
	int64_t now;                /* Unix seconds */
	struct slice file_name;     /* without a folder, and without its extension: */
	struct slice file_ext;      /* with the dot, or empty */
};

/*
 * NULL, or what is wrong with it (a constant text). There is at most one claim between two
 * slashes: with two, one caller's values could be put together to another's.
 */
const char *key_template_parse(struct slice text, struct key_template *ret) MUST_USE;
/* The same of the name of a file, which has ${name} and ${ext} besides. */
const char *key_template_parse_file(struct slice text, struct key_template *ret) MUST_USE;

/*
 * Numbers the claims by their place in `names`, to which those that are missing are added. False if
 * there are more than LIMIT_CLAIMS then.
 */
bool key_template_number_claims(
	struct key_template *template, struct slice names[LIMIT_CLAIMS], size_t *count) MUST_USE;

/* What every folder begins with. */
struct slice key_template_start(const struct key_template *template);

/*
 * Appends the folder or name. NULL, or why there is none (a constant text): the value of a claim is
 * missing, or it is `.` or `..`, or it has a slash, a backslash, a `$` or a control character; or
 * the text is longer than LIMIT_KEY_BYTES.
 */
const char *key_template_expand(const struct key_template *template,
	const struct key_values *values, struct strbuf *out) MUST_USE;

/* Appends what ${uuid} stands for. */
void key_template_add_uuid(struct strbuf *out);

/*
 * Whether what somebody else says can stand behind a folder: no step out of it, no empty segment
 * but at the end, and no character that key_template_expand() refuses in a claim but the slash.
 */
bool key_prefix_is_safe(struct slice prefix) MUST_USE;

#endif
