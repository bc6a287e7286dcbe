/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments, results and buffers, for the functions of postern.h. */
#ifndef LIBRARY_INTERNAL_H
#define LIBRARY_INTERNAL_H

#include <postern.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/strbuf.h"

/* Of callers' lists. */
#define LIBRARY_LIST_MAX 64
#define LIBRARY_HEADERS_MAX 32
#define LIBRARY_NAME_MAX 1024
#define LIBRARY_TOKEN_MAX KIB(4)
/* Whatever a signature is made over. */
#define LIBRARY_MEMORY_MAX MIB(1)

/* Whether the caller's structure has the members up to and with `last`. */
#define HAS_MEMBERS(pointer, last)       \
	((pointer) && (pointer)->size >= \
			      offsetof(__typeof__(*(pointer)), last) + sizeof((pointer)->last))

/* Text into the caller's buffer, of at least one byte; it never grows and is never released. */
static inline struct strbuf text_into(char *buffer, size_t size)
{
	buffer[0] = '\0';
	return (struct strbuf){.ptr = buffer, .size = size, .max = size - 1};
}

static inline bool has_room(const char *text, size_t max)
{
	return slice_str(text).len <= max;
}

/* Whether it can sign, and its texts are not longer than any that there are. */
static inline bool is_signer(const struct postern_signer *signer)
{
	return HAS_MEMBERS(signer, version) && (signer->version == 1 || signer->version == 4) &&
	       slice_str(signer->access_key_id).len > 0 &&
	       slice_str(signer->access_key_secret).len > 0 &&
	       (signer->version == 1 || slice_str(signer->region).len > 0) &&
	       has_room(signer->access_key_id, LIBRARY_NAME_MAX) &&
	       has_room(signer->region, LIBRARY_NAME_MAX) &&
	       has_room(signer->security_token, LIBRARY_TOKEN_MAX);
}

/* Why it is broken. */
static inline int result_of(const struct strbuf *text)
{
	return !strbuf_broken(text)   ? POSTERN_OK
	       : strbuf_starved(text) ? POSTERN_NO_MEMORY
				      : POSTERN_TOO_SMALL;
}

#endif
