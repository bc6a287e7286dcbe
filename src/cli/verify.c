/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify.h"

#include <getopt.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/strbuf.h"
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

static const char help[] =
	"Usage: postern verify --key FILE --url URL --authorization BASE64 --body FILE\n"
	"\n"
	"Says whether an upload callback is authentic, and if it is not, what probably\n"
	"happened to it.\n"
	"\n"
	"  --key FILE              the store's public key (PEM)\n"
	"  --url URL               path and query as the callback was received, such as\n"
	"                          '/callback?id=1'; what precedes the path is ignored\n"
	"  --authorization BASE64  the value of the Authorization header\n"
	"  --body FILE             the body, byte for byte; - is standard input\n"
	"\n"
	"Exit status: 0 authentic, 1 not authentic, 2 the command or a file is at fault.\n";

struct verify_options {
	const char *key, *url, *authorization, *body;
};

static int usage(const char *problem)
{
	fprintf(stderr, "postern verify: %s; try `postern verify --help`\n", problem);
	return USAGE;
}

/* Returns AUTHENTIC to go on, NOT_AUTHENTIC if help was given, USAGE. */
static int read_options(int argc, char **argv, struct verify_options *ret)
{
	static const struct option options[] = {
		{"key", required_argument, NULL, 'k'},
		{"url", required_argument, NULL, 'u'},
		{"authorization", required_argument, NULL, 'a'},
		{"body", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;
	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			ret->key = optarg;
			break;
		case 'u':
			ret->url = optarg;
			break;
		case 'a':
			ret->authorization = optarg;
			break;
		case 'b':
			ret->body = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return NOT_AUTHENTIC;
		default:
			return usage("an option is not known, or lacks its value");
		}
	}
	if (optind < argc)
		return usage("there is an argument too many");
	if (!ret->key || !ret->url || !ret->authorization || !ret->body)
		return usage("--key, --url, --authorization and --body are needed");
	return AUTHENTIC;
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
	int status = read_options(argc, argv, &options);
	if (status != AUTHENTIC)
		return status == USAGE ? USAGE : 0;
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
