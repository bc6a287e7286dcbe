/* SPDX-License-Identifier: Apache-2.0 */
#include "app/checks/kind.h"

#include <magic.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"

/* Of what libmagic does with hostile bytes: how deep, how often, how far. */
static const struct {
	int which;
	size_t most;
} bounds[] = {
	{MAGIC_PARAM_BYTES_MAX, LIMIT_CHECK_TYPE_BYTES},
	{MAGIC_PARAM_INDIR_MAX, 5},
	{MAGIC_PARAM_NAME_MAX, 50},
	{MAGIC_PARAM_ELF_PHNUM_MAX, 128},
	{MAGIC_PARAM_ELF_SHNUM_MAX, 128},
	{MAGIC_PARAM_ELF_NOTES_MAX, 16},
	{MAGIC_PARAM_REGEX_MAX, 4096},
};

struct kinds {
	magic_t magic;
	pthread_mutex_t lock; /* a leaf; of `magic`, which is for one thread at a time */
};

/* ---- Types ------------------------------------------------------------------------------------
 */

/* What is run where it is opened. */
static const struct slice programs[] = {
	SLICE_LIT("application/x-executable"),
	SLICE_LIT("application/x-pie-executable"),
	SLICE_LIT("application/x-sharedlib"),
	SLICE_LIT("application/x-object"),
	SLICE_LIT("application/x-dosexec"),
	SLICE_LIT("application/vnd.microsoft.portable-executable"),
	SLICE_LIT("application/x-mach-binary"),
	SLICE_LIT("application/x-java-applet"),
	SLICE_LIT("application/x-ms-shortcut"),
};

/* The same, and it is text; libmagic takes texts about it for it. */
static const struct slice scripts[] = {
	SLICE_LIT("text/html"),
	SLICE_LIT("application/xhtml+xml"),
	SLICE_LIT("image/svg+xml"),
	SLICE_LIT("text/x-shellscript"),
	SLICE_LIT("text/x-php"),
	SLICE_LIT("text/x-perl"),
	SLICE_LIT("text/x-script.python"),
	SLICE_LIT("text/x-python"),
	SLICE_LIT("text/x-msdos-batch"),
	SLICE_LIT("text/javascript"),
	SLICE_LIT("application/javascript"),
};

/* What begins with bytes that nothing else begins with. */
static const struct slice firm[] = {
	SLICE_LIT("image/png"),
	SLICE_LIT("image/jpeg"),
	SLICE_LIT("image/gif"),
	SLICE_LIT("image/webp"),
	SLICE_LIT("application/pdf"),
	SLICE_LIT("application/zip"),
	SLICE_LIT("application/gzip"),
};

static bool is_one_of(const struct slice *types, size_t count, struct slice type)
{
	for (size_t i = 0; i < count; i++)
		if (slice_eq_nocase(types[i], type))
			return true;
	return false;
}
#define IS_ONE_OF(types, type) is_one_of(types, ARRAY_LEN(types), type)

static bool is_kind(struct slice type, const char *kind)
{
	return slice_eq_nocase(slice_head(type, slice_find(type, '/')), slice_str(kind));
}

static bool is_image(struct slice type)
{
	return is_kind(type, "image");
}

/* Containers hold either. */
static bool is_film(struct slice type)
{
	return is_kind(type, "video") || is_kind(type, "audio");
}

static bool is_opaque(struct slice type)
{
	return is_image(type) || is_film(type) || is_kind(type, "font") || IS_ONE_OF(firm, type);
}

/* The type alone, without parameters. */
static struct slice bare(struct slice type)
{
	return slice_trim(slice_head(type, slice_find(type, ';')));
}

bool kind_contradicts(struct slice is, struct slice declared)
{
	struct slice type = bare(declared);
	if (slice_eq_nocase(is, type))
		return false;
	if (IS_ONE_OF(programs, is))
		return is_opaque(type) || is_kind(type, "text");
	if (IS_ONE_OF(scripts, is))
		return is_opaque(type);
	if (is_image(type))
		return is_film(is) ||
		       (IS_ONE_OF(firm, is) && (!is_image(is) || IS_ONE_OF(firm, type)));
	if (is_film(type))
		return is_image(is) || IS_ONE_OF(firm, is);
	return slice_eq_nocase(type, S("application/pdf")) &&
	       (is_image(is) || is_film(is) || IS_ONE_OF(firm, is));
}

/* ---- libmagic ---------------------------------------------------------------------------------
 */

static bool set_bounds(magic_t magic)
{
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		if (magic_setparam(magic, bounds[i].which, &bounds[i].most) != 0)
			return false;
	return true;
}

enum err kinds_new(struct kinds **ret)
{
	/* Without those that look into archives, or decompress. */
	const int flags = MAGIC_MIME_TYPE | MAGIC_ERROR | MAGIC_NO_CHECK_COMPRESS |
			  MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_CDF;
	struct kinds *kinds = calloc(1, sizeof(*kinds));
	if (!kinds)
		return ERR_UNAVAILABLE;
	(void)pthread_mutex_init(&kinds->lock, NULL);
	kinds->magic = magic_open(flags);
	if (!kinds->magic || magic_load(kinds->magic, NULL) != 0 || !set_bounds(kinds->magic)) {
		const char *why = kinds->magic ? magic_error(kinds->magic) : NULL;
		log_error("libmagic's database cannot be opened: %s", why ? why : "no memory");
		kinds_free(kinds);
		return ERR_UNAVAILABLE;
	}
	*ret = kinds;
	return ERR_OK;
}

void kinds_free(struct kinds *kinds)
{
	if (!kinds)
		return;
	if (kinds->magic)
		magic_close(kinds->magic);
	(void)pthread_mutex_destroy(&kinds->lock);
	free(kinds);
}

enum kind_verdict kinds_judge(struct kinds *kinds, struct slice bytes, struct slice declared)
{
	enum kind_verdict verdict = KIND_UNREAD;
	size_t len = bytes.len < LIMIT_CHECK_TYPE_BYTES ? bytes.len : LIMIT_CHECK_TYPE_BYTES;
	(void)pthread_mutex_lock(&kinds->lock);
	const char *is = magic_buffer(kinds->magic, bytes.ptr, len);
	if (is)
		verdict =
			kind_contradicts(slice_str(is), declared) ? KIND_CONTRADICTS : KIND_AGREES;
	else
		log_error("libmagic: %s", magic_error(kinds->magic));
	(void)pthread_mutex_unlock(&kinds->lock);
	return verdict;
}
