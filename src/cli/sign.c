/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sign.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "app/text/json.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "cli/command_line.h"
#include "cli/input.h"
#include "crypto/secret.h"
#include "oss/names.h"
#include "oss/policy/policy_build.h"

#define SECRET_BYTES_MAX 4096
#define TYPES_MAX 64
#define OUTPUT_BYTES_MAX KIB(512)

enum {
	DONE = 0,
	FAULT = 1,
	USAGE = 2,
	CONTINUE = 3
};

/* As given; what is a number is read later. */
struct sign_options {
	const char *bucket, *prefix, *key, *types, *region, *callback, *id, *secret_file;
	const char *min_size, *max_size, *expire, *signature;
	bool policy_only;
};

/* As understood. */
struct sign_numbers {
	uint64_t min_size, max_size, expire_seconds;
	int version;
};

#define AT(member) offsetof(struct sign_options, member)
static const struct flag flags[] = {
	{"bucket", "NAME", AT(bucket), "the bucket"},
	{"prefix", "TEXT", AT(prefix), "object names must begin with this"},
	{"key", "NAME", AT(key), "the only object name; instead of --prefix"},
	{"min-size", "BYTES", AT(min_size), "default 0"},
	{"max-size", "BYTES", AT(max_size), "default 1048576000"},
	{"types", "LIST", AT(types), "MIME types, separated by commas; default: any"},
	{"expire", "SECONDS", AT(expire), "how long the form can be posted; default 300"},
	{"signature", "v1|v4", AT(signature), "default v4"},
	{"region", "NAME", AT(region), "for v4; default cn-hangzhou"},
	{"callback", "FILE", AT(callback),
		"JSON of the callback parameter; becomes a condition too;\n- is standard input"},
	{"policy", NULL, AT(policy_only), "print the JSON of the policy, not the fields"},
	{"access-key-id", "ID", AT(id), "default: the environment's POSTERN_ACCESS_KEY_ID"},
	{"secret-file", "FILE", AT(secret_file),
		"a file with the access key secret, - is standard input;\n"
		"default: the environment's POSTERN_ACCESS_KEY_SECRET"},
};

static const struct command_line command_line = {
	.command = "sign",
	.before = "Usage: postern sign --bucket NAME [OPTIONS]\n"
		  "\n"
		  "Prints the fields of a signed upload form (PostObject) as JSON.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after = "Exit status: 0 signed, 1 a fault, 2 the command or a file is at fault.\n",
};

static int usage(const char *problem)
{
	command_line_complain(&command_line, problem);
	return USAGE;
}

/* `ret` has the default. */
static int read_number(
	const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (!text || (slice_to_u64(slice_str(text), ret) && *ret >= min && *ret <= max))
		return CONTINUE;
	fprintf(stderr, "postern sign: --%s must be a number from %llu to %llu\n", name,
		(unsigned long long)min, (unsigned long long)max);
	return USAGE;
}

static int read_numbers(const struct sign_options *options, struct sign_numbers *ret)
{
	int status =
		read_number("min-size", options->min_size, 0, LIMIT_OBJECT_BYTES, &ret->min_size);
	if (status == CONTINUE)
		status = read_number(
			"max-size", options->max_size, 0, LIMIT_OBJECT_BYTES, &ret->max_size);
	if (status == CONTINUE)
		status = read_number(
			"expire", options->expire, 1, LIMIT_PRESIGN_SECONDS, &ret->expire_seconds);
	if (status == CONTINUE && ret->min_size > ret->max_size)
		return usage("--min-size must not be above --max-size");
	return status;
}

static int read_version(const char *text, int *ret)
{
	if (text && slice_eq_nocase(slice_str(text), S("v1")))
		*ret = 1;
	else if (!text || slice_eq_nocase(slice_str(text), S("v4")))
		*ret = 4;
	else
		return usage("--signature must be v1 or v4");
	return CONTINUE;
}

static bool is_region(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		if (!(c >= 'a' && c <= 'z') && !ascii_digit(c) && c != '-' && c != '_')
			return false;
	}
	return name.len > 0;
}

/* An empty --key would be the prefix that all names have: most often it is a variable not set. */
static int check_names(const struct sign_options *options)
{
	struct bucket_name bucket;
	struct object_key key;
	if (!options->bucket)
		return usage("--bucket is needed");
	if (bucket_name_parse(slice_str(options->bucket), &bucket) != ERR_OK)
		return usage("--bucket must be the name of a bucket: 3 to 63 small letters, "
			     "digits and `-`, with no `-` at either end");
	if (options->key && !*options->key)
		return usage("--key is empty: give the object's name, or leave --key out to allow "
			     "any name");
	if (options->key && options->prefix)
		return usage("--key and --prefix exclude each other: give one of them");
	if (options->key && object_key_parse(slice_str(options->key), &key) != ERR_OK)
		return usage("--key must be the name of an object: UTF-8 of at most 1023 bytes "
			     "that does not begin with a slash");
	if (!is_region(slice_str(options->region)))
		return usage("--region must be the name of a region, such as cn-hangzhou");
	return CONTINUE;
}

static int read_options(
	int argc, char **argv, struct sign_options *ret, struct sign_numbers *ret_numbers)
{
	int rest;
	int status;
	if (!command_line_begin(&command_line, argc, argv, ret, &rest, &status))
		return status;
	status = read_numbers(ret, ret_numbers);
	if (status == CONTINUE)
		status = read_version(ret->signature, &ret_numbers->version);
	if (status != CONTINUE)
		return status;
	if (rest < argc)
		return usage("there is an argument too many");
	return check_names(ret);
}

/* The secret of the file, without the line's end; or the environment's. */
static int read_secret(const struct sign_options *options, struct strbuf *out)
{
	if (options->secret_file) {
		if (!input_read("sign", options->secret_file, out))
			return USAGE;
		input_trim(out);
	} else {
		strbuf_add_slice(out, slice_str(getenv("POSTERN_ACCESS_KEY_SECRET")));
	}
	if (out->len == 0 || !options->id || !*options->id)
		return usage("an access key id and its secret are needed");
	return CONTINUE;
}

static void print_fields(const struct policy_form *form, int64_t expires)
{
	SCOPED_STRBUF(json, OUTPUT_BYTES_MAX);
	strbuf_adds(&json, "{\n  \"expires\": ");
	strbuf_addf(&json, "%lld,\n  \"fields\": {", (long long)expires);
	for (size_t i = 0; i < form->field_count; i++) {
		strbuf_adds(&json, i > 0 ? ",\n    " : "\n    ");
		json_add_string(&json, form->fields[i].name);
		strbuf_adds(&json, ": ");
		json_add_string(&json, form->fields[i].value);
	}
	strbuf_adds(&json, "\n  }\n}");
	puts(json.ptr);
}

static int print_policy(const struct policy_form *form)
{
	SCOPED_STRBUF(policy, LIMIT_POLICY_BYTES);
	if (!base64_decode(&policy, form->policy))
		return FAULT;
	puts(policy.ptr);
	return DONE;
}

static int sign(const struct sign_options *options, const struct sign_numbers *numbers,
	struct slice secret, struct slice callback)
{
	struct slice types[TYPES_MAX], rest = slice_str(options->types);
	size_t type_count = 0;
	while (type_count < TYPES_MAX && slice_next_word(&rest, &types[type_count]))
		type_count++;
	const struct policy_field bound[] = {
		{S("success_action_status"), S("200")}, {S("callback"), callback}};
	int64_t now_ms = clock_wall_ms(&clock_system);
	const struct policy_spec grant = {
		.now_ms = now_ms,
		.expires_ms = (now_ms / 1000 + (int64_t)numbers->expire_seconds) * 1000,
		.bucket = slice_str(options->bucket),
		.key_prefix = slice_str(options->prefix),
		.key = slice_str(options->key),
		.min_bytes = numbers->min_size,
		.max_bytes = numbers->max_size,
		.content_types = types,
		.content_type_count = type_count,
		.bound = bound,
		.bound_count = callback.len > 0 ? 2 : 1,
	};
	const struct policy_signer signer = {.access_key_id = slice_str(options->id),
		.secret = secret,
		.region = slice_str(options->region)};
	struct arena arena;
	struct policy_form form;
	arena_init(&arena, NULL, 0, OUTPUT_BYTES_MAX);
	enum err e = numbers->version == 1 ? policy_form_v1(&grant, &signer, &arena, &form)
					   : policy_form_v4(&grant, &signer, &arena, &form);
	int status = DONE;
	if (e == ERR_INVALID_ARGUMENT)
		status = usage("--prefix, --key, --types and --access-key-id must be UTF-8 without "
			       "`\\$`, the id without a slash, and the policy not too long");
	else if (e)
		status = FAULT;
	else if (options->policy_only)
		status = print_policy(&form);
	else
		print_fields(&form, grant.expires_ms / 1000);
	arena_reset(&arena);
	return status;
}

int cli_sign(int argc, char **argv)
{
	const struct app_options usual = app_options_default();
	struct sign_options options = {
		.region = usual.region,
		.id = getenv("POSTERN_ACCESS_KEY_ID"),
	};
	struct sign_numbers numbers = {
		.max_size = (uint64_t)usual.max_size,
		.expire_seconds = (uint64_t)usual.expire_seconds,
	};
	int status = read_options(argc, argv, &options, &numbers);
	if (status != CONTINUE)
		return status;
	SCOPED_STRBUF(secret, SECRET_BYTES_MAX);
	SCOPED_STRBUF(json, LIMIT_POLICY_BYTES);
	SCOPED_STRBUF(callback, LIMIT_POLICY_BYTES);
	status = read_secret(&options, &secret);
	if (status == CONTINUE && options.callback) {
		if (!input_read("sign", options.callback, &json))
			status = USAGE;
		base64_encode(&callback, strbuf_slice(&json));
	}
	if (status == CONTINUE)
		status = sign(&options, &numbers, strbuf_slice(&secret), strbuf_slice(&callback));
	secret_wipe(secret.ptr, secret.len);
	return status;
}
