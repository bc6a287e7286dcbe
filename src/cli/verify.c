/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "cli/command_line.h"
#include "cli/input.h"
#include "crypto/rsa.h"
#include "http/url.h"
#include "oss/callback/callback_signature.h"

#define EXPLANATION_BYTES_MAX KIB(16)

enum {
	AUTHENTIC = 0,
	NOT_AUTHENTIC = 1,
	USAGE = 2
};

struct verify_options {
	const char *key, *url, *authorization, *body;
};

#define AT(member) offsetof(struct verify_options, member)
static const struct flag flags[] = {
	{"key", "FILE", AT(key), "the store's public key (PEM)"},
	{"url", "URL", AT(url),
		"path and query as the callback was received, such as\n"
		"'/callback?id=1'; what precedes the path is ignored"},
	{"authorization", "BASE64", AT(authorization), "the value of the Authorization header"},
	{"body", "FILE", AT(body), "the body, byte for byte; - is standard input"},
};

static const struct command_line command_line = {
	.command = "verify",
	.before = "Usage: postern verify --key FILE --url URL --authorization BASE64 --body FILE\n"
		  "\n"
		  "Says whether an upload callback is authentic, and if it is not, what probably\n"
		  "happened to it.\n",
	.flags = flags,
	.flag_count = ARRAY_LEN(flags),
	.after =
		"Exit status: 0 authentic, 1 not authentic, 2 the command or a file is at fault.\n",
};

static const char *fault_of(const struct verify_options *options, bool has_rest)
{
	if (has_rest)
		return "there is an argument too many";
	if (!options->key || !options->url || !options->authorization || !options->body)
		return "--key, --url, --authorization and --body are needed";
	return NULL;
}

/* Path and query of what may be a whole URL. */
static struct slice target_of(const char *text)
{
	struct slice target = slice_str(text);
	struct url url;
	return url_split(target, &url) ? url.target : slice_head(target, slice_find(target, '#'));
}

static int verify(
	const struct verify_options *options, const struct rsa_public *key, struct slice body)
{
	struct slice target = target_of(options->url);
	struct slice authorization = slice_trim(slice_str(options->authorization));
	if (callback_verify(key, target, authorization, body)) {
		puts("authentic");
		return AUTHENTIC;
	}
	SCOPED_STRBUF(why, EXPLANATION_BYTES_MAX);
	(void)callback_verify_explain(key, target, authorization, body, NULL, 0, &why);
	printf("not authentic\n%s\n", why.ptr);
	return NOT_AUTHENTIC;
}

int cli_verify(int argc, char **argv)
{
	struct verify_options options = {.key = NULL};
	int rest;
	int status;
	if (!command_line_begin(&command_line, argc, argv, &options, &rest, &status))
		return status;
	const char *fault = fault_of(&options, rest < argc);
	if (fault) {
		command_line_complain(&command_line, fault);
		return USAGE;
	}
	SCOPED_STRBUF(pem, LIMIT_PUBLIC_KEY_BYTES);
	SCOPED_STRBUF(body, LIMIT_CALLBACK_BODY_BYTES);
	struct rsa_public *key = NULL;
	if (!input_read("verify", options.key, &pem) || !input_read("verify", options.body, &body))
		return USAGE;
	if (rsa_public_parse(strbuf_slice(&pem), &key) != ERR_OK) {
		fprintf(stderr, "postern verify: %s: not an RSA public key in PEM form\n",
			options.key);
		return USAGE;
	}
	status = verify(&options, key, strbuf_slice(&body));
	rsa_public_free(key);
	return status;
}
