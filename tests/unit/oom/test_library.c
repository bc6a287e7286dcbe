/* SPDX-License-Identifier: Apache-2.0 */
/* libpostern: it says that there was no memory, and nothing that it took outlives a call. */
#include <postern.h>
#include <string.h>

#include "tap.h"
#include "unit/oom/oom.h"

static void say_result(struct oom_answer *answer, int result, const char *text)
{
	if (result == POSTERN_NO_MEMORY)
		answer->no_memory = true;
	else
		oom_say(answer, "%d %s", result, text);
}

static void sign(struct oom_answer *answer, int version)
{
	static const char *const types[] = {"image/png", "image/jpeg"};
	static const struct postern_field bound[] = {{"callback", "e30="}};
	const struct postern_signer signer = {.size = sizeof(signer),
		.access_key_id = "id",
		.access_key_secret = "secret",
		.security_token = "token",
		.region = "cn-hangzhou",
		.version = version};
	const struct postern_policy policy = {.size = sizeof(policy),
		.now = 1764338400,
		.expires = 1764338700,
		.bucket = "uploads",
		.key = "a/${filename}",
		.max_bytes = 1000,
		.content_types = types,
		.content_type_count = 2,
		.bound = bound,
		.bound_count = 1};
	char buffer[8192];
	struct postern_field fields[POSTERN_OWN_FIELDS + 1];
	size_t count = POSTERN_OWN_FIELDS + 1;
	int result = postern_policy_sign(&policy, &signer, buffer, sizeof(buffer), fields, &count);
	say_result(answer, result, result ? "" : fields[count - 1].value);
}

static void sign_v1(struct oom_answer *answer)
{
	sign(answer, 1);
}

static void sign_v4(struct oom_answer *answer)
{
	sign(answer, 4);
}

static void presign(struct oom_answer *answer, int version)
{
	static const struct postern_field headers[] = {
		{"Content-Type", "text/plain"}, {"x-oss-meta-b", "1"}, {"x-oss-meta-a", "2"}};
	const struct postern_signer signer = {.size = sizeof(signer),
		.access_key_id = "id",
		.access_key_secret = "secret",
		.security_token = "token",
		.region = "cn-hangzhou",
		.version = version};
	const struct postern_request request = {.size = sizeof(request),
		.now = 1764338400,
		.expires_seconds = 60,
		.method = "PUT",
		.base_url = "https://b.example.com",
		.bucket = "bucket",
		.key = "a b",
		.query = "partNumber=1&uploadId=a%2Fb",
		.headers = headers,
		.header_count = 3};
	char url[4096];
	int result = postern_presign(&request, &signer, url, sizeof(url));
	say_result(answer, result, result ? "" : url);
}

static void presign_v1(struct oom_answer *answer)
{
	presign(answer, 1);
}

static void presign_v4(struct oom_answer *answer)
{
	presign(answer, 4);
}

static size_t give(void *context, const char *url, char *pem, size_t size)
{
	static const char key[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\n"
		"C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n"
		"-----END PUBLIC KEY-----\n";
	(void)context;
	(void)url;
	(void)size;
	memcpy(pem, key, sizeof(key) - 1);
	return sizeof(key) - 1;
}

static void verify(struct oom_answer *answer)
{
	static const char body[] = "bucket=yonghu-test";
	const struct postern_callback callback = {.size = sizeof(callback),
		.target = "/index.php?id=1&index=2",
		.authorization = "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/"
				 "RaHBovRCE8OkQDjC3uG33esH2txA==",
		.key_url = "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ"
			   "==",
		.body = body,
		.body_size = sizeof(body) - 1};
	say_result(answer, postern_callback_verify_by_url(&callback, NULL, 0, give, NULL), "");
}

static const struct oom_case cases[] = {
	{"a policy of V1", sign_v1},
	{"a policy of V4", sign_v4},
	{"a URL of V1", presign_v1},
	{"a URL of V4", presign_v4},
	{"a callback", verify},
};

int main(void)
{
	return oom_run(cases, ARRAY_LEN(cases));
}
