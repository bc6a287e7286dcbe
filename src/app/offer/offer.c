/* SPDX-License-Identifier: Apache-2.0 */
#include "app/offer/offer.h"

#include "app/text/file_name.h"
#include "app/text/media_type.h"
#include "base/encode.h"

struct making {
	const struct caller *caller;
	const struct wish *wish;
	struct key_values values;
	struct arena *arena;
	struct offer *offer;
	struct offer_refusal *why;
};

static bool refuse(struct making *m, int status, const char *code, const char *message)
{
	*m->why = (struct offer_refusal){status, code, message};
	return false;
}

static bool keep(struct making *m, struct slice text, struct slice *ret)
{
	*ret = arena_copy(m->arena, text);
	return ret->ptr || refuse(m, 503, "unavailable", "There is no memory; try again.");
}

/* ---- What --------------------------------------------------------------------------------------
 */

static bool lists(const struct slice *types, size_t count, struct slice type)
{
	for (size_t i = 0; i < count; i++)
		if (media_type_eq(types[i], type))
			return true;
	return false;
}

/* The types that profile and caller both allow. */
static bool make_types(struct making *m)
{
	const struct settings_list *own = &m->offer->profile->types;
	const struct caller *caller = m->caller;
	m->offer->types = own->count > 0 ? own->words : caller->types;
	m->offer->type_count = own->count > 0 ? own->count : caller->type_count;
	if (own->count == 0 || caller->type_count == 0)
		return true;
	struct slice *both = arena_alloc(m->arena, own->count * sizeof(*both));
	if (!both)
		return refuse(m, 503, "unavailable", "There is no memory; try again.");
	m->offer->types = both;
	m->offer->type_count = 0;
	for (size_t i = 0; i < own->count; i++)
		if (lists(caller->types, caller->type_count, own->words[i]))
			both[m->offer->type_count++] = own->words[i];
	return m->offer->type_count > 0 ||
	       refuse(m, 403, "forbidden", "None of the types of this profile is for you.");
}

static bool is_type(struct slice type)
{
	for (size_t i = 0; i < type.len; i++)
		if ((unsigned char)type.ptr[i] < 0x20 || (unsigned char)type.ptr[i] >= 0x7f)
			return false;
	return type.len <= LIMIT_FILE_NAME_BYTES;
}

static bool check_type(struct making *m)
{
	struct slice type = m->wish->type;
	if (type.len == 0)
		return true;
	if (!is_type(type))
		return refuse(m, 400, "invalid_request", "`type` is no MIME type.");
	if (m->offer->type_count > 0 && !lists(m->offer->types, m->offer->type_count, type))
		return refuse(m, 403, "type_refused",
			"Files of this type may not be uploaded with this profile.");
	return keep(m, type, &m->offer->type);
}

static bool gives(const struct making *m, struct slice name)
{
	for (size_t i = 0; i < m->offer->metadata_count; i++)
		if (slice_eq(m->offer->metadata[i].name, name))
			return true;
	return false;
}

/* What the profile gives, and what of the caller's it does not. */
static bool make_metadata(struct making *m)
{
	const struct profile *profile = m->offer->profile;
	const struct caller *caller = m->caller;
	m->offer->metadata = profile->metadata;
	m->offer->metadata_count = profile->metadata_count;
	if (caller->metadata_count == 0)
		return true;
	struct profile_metadata *all = arena_alloc(m->arena, LIMIT_PROFILE_METADATA * sizeof(*all));
	if (!all)
		return refuse(m, 503, "unavailable", "There is no memory; try again.");
	memcpy(all, profile->metadata, profile->metadata_count * sizeof(*all));
	m->offer->metadata = all;
	for (size_t i = 0; i < caller->metadata_count; i++) {
		if (gives(m, caller->metadata[i].name))
			continue;
		if (m->offer->metadata_count == LIMIT_PROFILE_METADATA)
			return refuse(m, 403, "forbidden",
				"You and this profile give an object too much metadata.");
		all[m->offer->metadata_count++] = caller->metadata[i];
	}
	return true;
}

static bool check_size(struct making *m)
{
	const struct profile *profile = m->offer->profile;
	int64_t most = m->caller->max_size;
	m->offer->min_size = profile->min_size;
	m->offer->max_size = most < profile->max_size ? most : profile->max_size;
	if (m->offer->min_size > m->offer->max_size)
		return refuse(m, 403, "forbidden", "No size is allowed for you with this profile.");
	if (m->wish->size >= 0 &&
		(m->wish->size < m->offer->min_size || m->wish->size > m->offer->max_size))
		return refuse(m, 403, "size_refused",
			"A file of this size may not be uploaded with this profile.");
	return true;
}

/* ---- Where ------------------------------------------------------------------------------------
 */

static bool check_extension(struct making *m, struct slice ext)
{
	const struct settings_list *allowed = &m->offer->profile->extensions;
	if (allowed->count == 0)
		return true;
	for (size_t i = 0; i < allowed->count; i++)
		if (slice_eq(slice_from(ext, 1), allowed->words[i]))
			return true;
	return refuse(m, 403, "type_refused",
		"A file of this extension may not be uploaded with this profile.");
}

static bool split_file(struct making *m)
{
	SCOPED_STRBUF(name, 2 * LIMIT_FILE_NAME_BYTES);
	SCOPED_STRBUF(ext, LIMIT_FILE_NAME_BYTES);
	file_name_split(m->wish->file_name, &name, &ext);
	if (strbuf_broken(&name) || strbuf_broken(&ext))
		return refuse(m, 503, "unavailable", "There is no memory; try again.");
	return keep(m, strbuf_slice(&name), &m->values.file_name) &&
	       keep(m, strbuf_slice(&ext), &m->values.file_ext) &&
	       check_extension(m, m->values.file_ext);
}

/* One key, if the profile gives it, or the caller has told of the file. */
static bool wants_key(const struct making *m)
{
	return m->wish->has_file || m->offer->profile->has_key ||
	       m->offer->profile->extensions.count > 0;
}

static bool needs_name(const struct profile *profile)
{
	return profile->extensions.count > 0 || (profile->has_key && profile->key.has_file);
}

static bool expand(struct making *m, const struct key_template *template, struct strbuf *out)
{
	const char *fault = key_template_expand(template, &m->values, out);
	if (strbuf_starved(out))
		return refuse(m, 503, "unavailable", "There is no memory; try again.");
	if (!fault && out->len > LIMIT_KEY_BYTES)
		fault = "the object's name is longer than it may be";
	return !fault || refuse(m, 403, "forbidden", fault);
}

static bool make_key(struct making *m)
{
	const struct profile *profile = m->offer->profile;
	SCOPED_STRBUF(key, 4 * LIMIT_KEY_BYTES);
	if (!expand(m, &profile->dir, &key))
		return false;
	strbuf_add_slice(&key, m->caller->prefix);
	if (m->wish->own_dir) {
		key_template_add_uuid(&key);
		strbuf_addc(&key, '/');
	}
	if (strbuf_starved(&key))
		return refuse(m, 503, "unavailable", "There is no memory; try again.");
	if (key.len > LIMIT_KEY_BYTES)
		return refuse(
			m, 403, "forbidden", "the prefix is longer than an object's name may be");
	if (!keep(m, strbuf_slice(&key), &m->offer->dir))
		return false;
	if (!wants_key(m))
		return true;
	if (!m->wish->has_file && needs_name(profile))
		return refuse(m, 400, "invalid_request",
			"This profile needs `filename`: the object's name comes from it.");
	return split_file(m) && expand(m, &profile->key, &key) &&
	       keep(m, strbuf_slice(&key), &m->offer->key);
}

bool offer_make(const struct rules *rules, const struct caller *caller, const struct wish *wish,
	int64_t now, struct arena *arena, struct offer *ret, struct offer_refusal *why)
{
	struct making m = {
		.caller = caller,
		.wish = wish,
		.values = {.claims = caller->values, .now = now},
		.arena = arena,
		.offer = ret,
		.why = why,
	};
	*ret = (struct offer){.rules = rules,
		.profile = rules_profile(rules, wish->profile),
		.variables = caller->variables};
	if (!ret->profile)
		return refuse(&m, 404, "no_such_profile", "There is no profile of that name.");
	return make_types(&m) && check_type(&m) && make_metadata(&m) && check_size(&m) &&
	       make_key(&m);
}
