/* SPDX-License-Identifier: Apache-2.0 */
/* The default profile, and the sections [profile NAME]. */
#include "app/settings/settings_internal.h"
#include "app/text/json.h"
#include "app/text/media_type.h"
#include "oss/acl.h"
#include "oss/callback/ticket.h"
#include "oss/names.h"
#include "oss/storage_class.h"

#define OWN_METADATA "grant"

static bool is_set(const char *text)
{
	return text && *text;
}

static void read_dir(struct reading *r, const char *text, struct key_template *ret)
{
	struct slice dir = settings_keep_text(r, "upload_dir", text);
	SCOPED_STRBUF(whole, LIMIT_KEY_BYTES);
	strbuf_add_slice(&whole, dir);
	if (dir.len > 0 && !slice_ends(dir, S("/")))
		strbuf_addc(&whole, '/');
	if (strbuf_broken(&whole))
		settings_refuse(r, "upload_dir: longer than an object's name may be");
	if (dir.len > 0 && (dir.ptr[0] == '/' || dir.ptr[0] == '\\'))
		settings_refuse(r, "upload_dir: an object's name cannot begin with a slash");
	const char *fault = key_template_parse(settings_keep(r, strbuf_slice(&whole)), ret);
	if (fault)
		settings_refuse(r, "upload_dir: %s", fault);
}

static void read_key(struct reading *r, const char *text, struct profile *p)
{
	struct slice key = settings_keep_text(r, "key", is_set(text) ? text : "${uuid}${ext}");
	p->has_key = is_set(text);
	if (key.len > LIMIT_KEY_BYTES || key.ptr[0] == '/' || key.ptr[0] == '\\' ||
		slice_ends(key, S("/")))
		settings_refuse(r, "key: cannot begin or end with a slash, or be that long");
	const char *fault = key_template_parse_file(key, &p->key);
	if (fault)
		settings_refuse(r, "key: %s", fault);
}

static void read_types(struct reading *r, const char *text, struct settings_list *types)
{
	settings_read_list(r, "allowed_types", text, types);
	for (size_t i = 0; i < types->count; i++) {
		struct slice type = types->words[i];
		if (slice_find(type, '/') == type.len || slice_find(type, '*') < type.len)
			settings_refuse(r,
				"allowed_types: `%.*s` is not a MIME type such as image/png",
				SLICE_FMT(type));
		/* The policy has them as browsers send them. */
		types->words[i] = media_type_lower(r->arena, type);
		if (!types->words[i].ptr && !r->err)
			r->err = ERR_UNAVAILABLE;
	}
}

static bool is_extension(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!(word.ptr[i] >= 'a' && word.ptr[i] <= 'z') && !ascii_digit(word.ptr[i]))
			return false;
	return word.len > 0 && word.len <= 16;
}

static void read_extensions(struct reading *r, const char *text, struct settings_list *words)
{
	settings_read_list(r, "allowed_extensions", text, words);
	for (size_t i = 0; i < words->count; i++)
		if (!is_extension(words->words[i]))
			settings_refuse(r,
				"allowed_extensions: `%.*s` is not one such as png: small letters "
				"and digits, without a dot",
				SLICE_FMT(words->words[i]));
}

static void check_sizes(struct reading *r, const struct profile *p)
{
	if (p->min_size > p->max_size)
		settings_refuse(r, "min_size: must be from 0 to max_size");
}

static struct slice read_answer(struct reading *r, const char *text)
{
	struct slice answer = settings_keep_text(
		r, "callback_answer", is_set(text) ? text : "{\"Status\":\"OK\"}");
	if (!json_is_valid(answer))
		settings_refuse(r, "callback_answer: must be JSON");
	return answer;
}

static void add_check(struct reading *r, struct slice word, struct profile_checks *checks)
{
	if (slice_eq(word, S("object")))
		checks->object = true;
	else if (slice_eq(word, S("type")))
		checks->type = true;
	else if (slice_eq(word, S("virus")))
		checks->virus = true;
	else
		settings_refuse(
			r, "checks: `%.*s` is none of object, type and virus", SLICE_FMT(word));
	if (checks->virus && r->rules->clamd.length == 0)
		settings_refuse(r, "checks: `virus` needs `[app] clamd`");
	checks->any = true;
}

/* Without a grant that is written down nothing can be looked at later. */
static void check_ground(struct reading *r, const struct app_options *options)
{
	if (options->confirm == APP_CONFIRM_OFF)
		settings_refuse(r, "checks: the store must be asked: confirm = auto or on");
	if (!options->require_grant)
		settings_refuse(r, "checks: need require_grant = true");
	if (options->grants_max == 0 || options->reconcile_seconds == 0)
		settings_refuse(r, "checks: need grants_max and reconcile_seconds above 0");
}

static void read_checks(
	struct reading *r, const struct app_options *options, const char *text, struct profile *p)
{
	struct settings_list words = {.count = 0};
	p->checks = (struct profile_checks){.any = false};
	if (slice_eq(slice_str(text), S("none")))
		return;
	settings_read_list(r, "checks", text, &words);
	for (size_t i = 0; i < words.count && !r->err; i++)
		add_check(r, words.words[i], &p->checks);
	if (p->checks.any)
		check_ground(r, options);
}

static void read_unknown(struct reading *r, const char *text, enum profile_unknown *ret)
{
	struct slice word = slice_str(text);
	if (!is_set(text) || slice_eq(word, S("pending")))
		*ret = PROFILE_UNKNOWN_PENDING;
	else if (slice_eq(word, S("accept")))
		*ret = PROFILE_UNKNOWN_ACCEPT;
	else if (slice_eq(word, S("reject")))
		*ret = PROFILE_UNKNOWN_REJECT;
	else
		settings_refuse(r, "on_unknown: must be pending, accept or reject");
}

/* Who claims a hash is believed alone, so it must be known who it is. */
static void read_duplicates(
	struct reading *r, const struct app_options *options, const char *text, bool *ret)
{
	struct slice word = slice_str(text);
	*ret = slice_eq(word, S("subject"));
	if (!*ret && is_set(text) && !slice_eq(word, S("off")))
		settings_refuse(r, "duplicates: must be off or subject");
	if (!*ret)
		return;
	if (options->auth == APP_AUTH_NONE)
		settings_refuse(r, "duplicates: `subject` needs auth = jwt or forward: without it "
				   "nobody has a subject");
	if (options->confirm == APP_CONFIRM_OFF)
		settings_refuse(r, "duplicates: the store must be asked: confirm = auto or on");
	if (options->grants_max == 0)
		settings_refuse(r, "duplicates: need grants_max above 0");
}

static void read_default(struct reading *r, const struct app_options *options, struct profile *ret)
{
	*ret = (struct profile){
		.min_size = options->min_size, .max_size = options->max_size, .acl = S("default")};
	read_dir(r, options->upload_dir, &ret->dir);
	read_key(r, NULL, ret);
	read_types(r, options->allowed_types, &ret->types);
	check_sizes(r, ret);
	read_checks(r, options, options->checks, ret);
	read_unknown(r, options->on_unknown, &ret->on_unknown);
	read_duplicates(r, options, options->duplicates, &ret->duplicates);
	ret->callback_answer = read_answer(r, options->callback_answer);
}

/* ---- A section --------------------------------------------------------------------------------
 */

/* As the option of that name. */
static void read_size(struct reading *r, const char *name, const char *text, int64_t *ret)
{
	uint64_t size = 0;
	if (!is_set(text))
		return;
	/* What is no number is taken as one that no size may be. */
	bool is_number = slice_to_u64(slice_str(text), &size) && size <= INT64_MAX;
	*ret = is_number ? (int64_t)size : -1;
	settings_check_number(r, name, *ret);
}

static bool read_flag(struct reading *r, const char *name, const char *text)
{
	struct slice word = slice_str(text);
	if (is_set(text) && !slice_eq(word, S("true")) && !slice_eq(word, S("false")))
		settings_refuse(r, "%s: must be true or false", name);
	return is_set(text) && slice_eq(word, S("true"));
}

static void read_acl(struct reading *r, const char *text, struct slice *ret)
{
	enum acl acl;
	if (!is_set(text))
		return;
	*ret = settings_keep_text(r, "acl", text);
	if (!acl_parse_object(*ret, &acl))
		settings_refuse(
			r, "acl: must be default, private, public-read or public-read-write");
}

static void read_class(struct reading *r, const char *text, struct slice *ret)
{
	*ret = settings_keep_text(r, "storage_class", text);
	if (ret->len > 0 && !storage_class_is_known(*ret))
		settings_refuse(r, "storage_class: must be " STORAGE_CLASS_NAMES);
}

/* As OSS has it, but in small letters only. */
bool profile_metadata_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (ascii_lower(name.ptr[i]) != name.ptr[i])
			return false;
	return user_meta_name_valid(name) && !slice_eq(name, S(OWN_METADATA));
}

static bool has_metadata(const struct profile *p, struct slice header)
{
	for (size_t i = 0; i < p->metadata_count; i++)
		if (slice_eq(p->metadata[i].name, header))
			return true;
	return false;
}

static void add_metadata(struct reading *r, struct slice word, struct profile *p)
{
	struct slice name, value = word;
	SCOPED_STRBUF(header, LIMIT_FIELD_NAME_BYTES);
	if (!slice_cut(&value, '=', &name) || !profile_metadata_name(name) || value.len == 0) {
		settings_refuse(r,
			"metadata: `%.*s` is not NAME=VALUE, with small letters, digits and `-` "
			"in the name, which is not " OWN_METADATA,
			SLICE_FMT(word));
		return;
	}
	if (p->metadata_count == LIMIT_PROFILE_METADATA) {
		settings_refuse(r, "metadata: at most %d entries", LIMIT_PROFILE_METADATA);
		return;
	}
	strbuf_adds(&header, "x-oss-meta-");
	strbuf_add_slice(&header, name);
	if (strbuf_broken(&header))
		settings_refuse(r, "metadata: a name is too long");
	if (has_metadata(p, strbuf_slice(&header)))
		settings_refuse(r, "metadata: `%.*s` is there twice: keep one of the values",
			SLICE_FMT(name));
	p->metadata[p->metadata_count++] = (struct profile_metadata){
		settings_keep(r, strbuf_slice(&header)), settings_keep(r, value)};
}

static void read_metadata(struct reading *r, const char *text, struct profile *p)
{
	struct settings_list words = {.count = 0};
	settings_read_list(r, "metadata", text, &words);
	for (size_t i = 0; i < words.count && !r->err; i++)
		add_metadata(r, words.words[i], p);
}

/* Begins as the default one. */
static void read_section(struct reading *r, const struct app_options *all,
	const struct app_profile_options *options, struct profile *ret)
{
	const struct profile *standard = r->rules->profiles;
	*ret = *standard;
	ret->name = settings_keep_text(r, "name", options->name);
	if (is_set(options->upload_dir))
		read_dir(r, options->upload_dir, &ret->dir);
	read_key(r, options->key, ret);
	read_size(r, "min_size", options->min_size, &ret->min_size);
	read_size(r, "max_size", options->max_size, &ret->max_size);
	check_sizes(r, ret);
	/* An empty list is one all the same: any type. */
	if (options->allowed_types) {
		ret->types.count = 0;
		read_types(r, options->allowed_types, &ret->types);
	}
	read_extensions(r, options->allowed_extensions, &ret->extensions);
	ret->forbid_overwrite = read_flag(r, "forbid_overwrite", options->forbid_overwrite);
	read_acl(r, options->acl, &ret->acl);
	read_class(r, options->storage_class, &ret->storage_class);
	ret->cache_control = settings_keep_text(r, "cache_control", options->cache_control);
	ret->content_disposition =
		settings_keep_text(r, "content_disposition", options->content_disposition);
	read_metadata(r, options->metadata, ret);
	if (is_set(options->checks))
		read_checks(r, all, options->checks, ret);
	if (is_set(options->on_unknown))
		read_unknown(r, options->on_unknown, &ret->on_unknown);
	if (is_set(options->duplicates))
		read_duplicates(r, all, options->duplicates, &ret->duplicates);
	if (is_set(options->callback_answer))
		ret->callback_answer = read_answer(r, options->callback_answer);
}

static void check_name(struct reading *r, struct slice name)
{
	if (!ticket_is_profile_name(name) || slice_eq(name, S("default")))
		settings_refuse(r,
			"a name has 1 to %d letters, digits, `-` and `_`, and is not `default`",
			LIMIT_PROFILE_NAME_BYTES);
	if (rules_profile(r->rules, name))
		settings_refuse(r, "there are two sections of that name");
}

static void read_clamd(struct reading *r, const char *text)
{
	if (is_set(text) && !clamd_address_parse(slice_str(text), &r->rules->clamd))
		settings_refuse(r, "clamd: must be unix:/PATH or tcp:ADDRESS:PORT");
}

void settings_read_profiles(struct reading *r, const struct app_options *options)
{
	struct rules *rules = r->rules;
	read_clamd(r, options->clamd);
	struct profile *profiles =
		arena_zalloc(r->arena, (1 + options->profile_count) * sizeof(*profiles));
	if (!profiles) {
		r->err = r->err ? r->err : ERR_UNAVAILABLE;
		return;
	}
	rules->profiles = profiles;
	read_default(r, options, profiles);
	rules->profile_count = 1;
	if (options->profile_count > LIMIT_PROFILES)
		settings_refuse(r, "profile: at most %d sections", LIMIT_PROFILES);
	for (size_t i = 0; i < options->profile_count && !r->err; i++) {
		const struct app_profile_options *section = &options->profiles[i];
		r->section = section->name;
		check_name(r, slice_str(section->name));
		read_section(r, options, section, &profiles[rules->profile_count]);
		rules->profile_count++;
	}
	r->section = NULL;
}

static void want_claims(struct reading *r, const char *option, struct key_template *template)
{
	struct jwt_rules *jwt = &r->rules->jwt_rules;
	if (template->claim_count > 0 && r->rules->auth == APP_AUTH_NONE)
		settings_refuse(r, "%s: with auth = none there is nobody to say what `${%.*s}` is",
			option, SLICE_FMT(template->claims[0]));
	if (!key_template_number_claims(template, jwt->claims, &jwt->claim_count))
		settings_refuse(r, "%s: at most %d claims in all", option, LIMIT_CLAIMS);
}

void settings_want_claims(struct reading *r)
{
	struct rules *rules = r->rules;
	struct jwt_rules *jwt = &rules->jwt_rules;
	for (size_t i = 0; i < rules->profile_count && !r->err; i++) {
		r->section = i > 0 ? rules->profiles[i].name.ptr : NULL;
		want_claims(r, "upload_dir", &rules->profiles[i].dir);
		want_claims(r, "key", &rules->profiles[i].key);
	}
	r->section = NULL;
	for (size_t i = 0; i < jwt->claim_count; i++)
		jwt->claims[i] = settings_keep(r, jwt->claims[i]);
}
