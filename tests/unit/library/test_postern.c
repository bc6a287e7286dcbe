/* SPDX-License-Identifier: Apache-2.0 */
/* libpostern by its header alone: results, buffers that are too small, and what is refused. */
#include <postern.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define NOW 1764338400 /* 2025-11-28T14:00:00Z */

static const struct postern_signer v4 = {
	.size = sizeof(v4),
	.access_key_id = "id",
	.access_key_secret = "secret",
	.region = "cn-hangzhou",
	.version = 4,
};

static struct postern_signer changed(const char *token, int version)
{
	struct postern_signer s = v4;
	s.security_token = token;
	s.version = version;
	return s;
}

static const struct postern_field bound[] = {{"success_action_status", "200"}, {"x:user", "\"7\""}};

static struct postern_policy policy(void)
{
	return (struct postern_policy){
		.size = sizeof(struct postern_policy),
		.now = NOW,
		.expires = NOW + 300,
		.bucket = "uploads",
		.key_prefix = "avatars/",
		.max_bytes = 1000,
		.bound = bound,
		.bound_count = 2,
	};
}

static const char *find(const struct postern_field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i].name, name) == 0)
			return fields[i].value;
	return "";
}

static void test_policy(void)
{
	char buffer[8192];
	struct postern_field fields[POSTERN_OWN_FIELDS + 2];
	struct postern_policy p = policy();
	size_t count = POSTERN_OWN_FIELDS + 2;
	OK(postern_policy_sign(&p, &v4, buffer, sizeof(buffer), fields, &count) == POSTERN_OK,
		"a policy of V4");
	OK(count == 7, "has seven fields");
	OK(strcmp(find(fields, count, "x-oss-credential"),
		   "id/20251128/cn-hangzhou/oss/aliyun_v4_request") == 0,
		"the credential is of the day and region");
	OK(strcmp(find(fields, count, "x-oss-date"), "20251128T140000Z") == 0, "the date");
	OK(strlen(find(fields, count, "x-oss-signature")) == 64, "the signature");
	OK(strcmp(find(fields, count, "x:user"), "\"7\"") == 0, "a field of the caller");
	const struct postern_signer v1 = changed("token", 1);
	count = POSTERN_OWN_FIELDS + 2;
	OK(postern_policy_sign(&p, &v1, buffer, sizeof(buffer), fields, &count) == POSTERN_OK,
		"a policy of V1 with a token");
	OK(strcmp(find(fields, count, "x-oss-security-token"), "token") == 0 &&
			strcmp(find(fields, count, "OSSAccessKeyId"), "id") == 0 &&
			strlen(find(fields, count, "Signature")) == 28,
		"its fields");
}

/* Each size in a block of its own, so that a byte too many is seen. */
static void test_small_buffers(void)
{
	char buffer[8192];
	struct postern_field fields[POSTERN_OWN_FIELDS + 2];
	struct postern_policy p = policy();
	size_t count = POSTERN_OWN_FIELDS + 2;
	bool good =
		postern_policy_sign(&p, &v4, buffer, sizeof(buffer), fields, &count) == POSTERN_OK;
	size_t need =
		(size_t)(fields[count - 1].value - buffer) + strlen(fields[count - 1].value) + 1;
	for (size_t size = 1; good && size <= need + 1; size++) {
		char *exact = malloc(size);
		struct postern_field *few = malloc(count * sizeof(*few));
		size_t places = count;
		if (!exact || !few)
			abort();
		int want = size > need ? POSTERN_OK : POSTERN_TOO_SMALL;
		int got = postern_policy_sign(&p, &v4, exact, size, few, &places);
		/* A byte for the NUL behind the last text is the buffer's own. */
		good = got == want || (size == need && got == POSTERN_OK);
		free(exact);
		free(few);
	}
	OK(good, "each buffer of up to %zu bytes", need);
	size_t places = count - 1;
	OK(postern_policy_sign(&p, &v4, buffer, sizeof(buffer), fields, &places) ==
			POSTERN_TOO_SMALL,
		"a place too few");
}

static int sign(const struct postern_policy *p, const struct postern_signer *signer)
{
	char buffer[8192];
	struct postern_field fields[80];
	size_t count = 80;
	return postern_policy_sign(p, signer, buffer, sizeof(buffer), fields, &count);
}

static void test_refused_policies(void)
{
	struct postern_policy p = policy();
	struct postern_signer s = v4;
	p.key = "both";
	OK(sign(&p, &s) == POSTERN_INVALID, "key and prefix");
	p = policy();
	p.min_bytes = 1001;
	OK(sign(&p, &s) == POSTERN_INVALID, "more at least than at most");
	p = policy();
	p.key_prefix = "\xff";
	OK(sign(&p, &s) == POSTERN_INVALID, "not UTF-8");
	p = policy();
	p.size = 8;
	OK(sign(&p, &s) == POSTERN_INVALID, "a structure that is too short");
	p = policy();
	p.expires = INT64_MAX;
	OK(sign(&p, &s) == POSTERN_INVALID, "a time that no calendar has");
	p = policy();
	p.bucket = NULL;
	OK(sign(&p, &s) == POSTERN_INVALID, "no bucket");
	p = policy();
	p.key_prefix = "";
	OK(sign(&p, &s) == POSTERN_INVALID, "neither key nor prefix");
	p = policy();
	p.expires = p.now;
	OK(sign(&p, &s) == POSTERN_INVALID, "expired when it is made");
	const struct postern_field own = {"KEY", "other"};
	p = policy();
	p.bound = &own;
	p.bound_count = 1;
	OK(sign(&p, &s) == POSTERN_INVALID, "a field that the form has anyhow");
	p = policy();
	p.bound_count = 65;
	OK(sign(&p, &s) == POSTERN_INVALID, "too many fields");
	p = policy();
	s.version = 2;
	OK(sign(&p, &s) == POSTERN_INVALID, "version 2");
	s = v4;
	s.region = "a/b";
	OK(sign(&p, &s) == POSTERN_INVALID, "a slash in the region");
	s = v4;
	s.access_key_secret = NULL;
	OK(sign(&p, &s) == POSTERN_INVALID, "no secret");
	OK(sign(NULL, &v4) == POSTERN_INVALID && sign(&p, NULL) == POSTERN_INVALID, "nothing");
}

/* ---- A callback that Alibaba Cloud has signed --------------------------------------------------
 */

static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
			  "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\n"
			  "C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n"
			  "-----END PUBLIC KEY-----\n";
static const char body[] = "bucket=yonghu-test";

static struct postern_callback callback(void)
{
	return (struct postern_callback){
		.size = sizeof(struct postern_callback),
		.target = "/index.php?id=1&index=2",
		.authorization = "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/"
				 "RaHBovRCE8OkQDjC3uG33esH2txA==",
		/* http://gosspublic.alicdn.com/callback_pub_key_v1.pem */
		.key_url = "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ"
			   "==",
		.body = body,
		.body_size = sizeof(body) - 1,
	};
}

static void test_callback(void)
{
	struct postern_callback c = callback();
	OK(postern_callback_verify(&c, pem, sizeof(pem) - 1) == POSTERN_OK, "authentic");
	c.body_size--;
	OK(postern_callback_verify(&c, pem, sizeof(pem) - 1) == POSTERN_NOT_AUTHENTIC,
		"another body");
	c = callback();
	c.target = "/index.php";
	OK(postern_callback_verify(&c, pem, sizeof(pem) - 1) == POSTERN_NOT_AUTHENTIC,
		"another query");
	c.target = "/%zz";
	OK(postern_callback_verify(&c, pem, sizeof(pem) - 1) == POSTERN_NOT_AUTHENTIC,
		"a malformed escape");
	c = callback();
	c.authorization = "!";
	OK(postern_callback_verify(&c, pem, sizeof(pem) - 1) == POSTERN_NOT_AUTHENTIC, "no base64");
	OK(postern_callback_verify(&c, "x", 1) == POSTERN_NO_KEY, "no key");
	OK(postern_callback_verify(NULL, pem, 1) == POSTERN_INVALID, "nothing");
}

struct asked {
	int times;
	const char *pem;
	char url[128];
};

static size_t give(void *context, const char *url, char *ret, size_t size)
{
	struct asked *asked = context;
	asked->times++;
	(void)snprintf(asked->url, sizeof(asked->url), "%s", url);
	if (!asked->pem || strlen(asked->pem) > size)
		return 0;
	memcpy(ret, asked->pem, strlen(asked->pem));
	return strlen(asked->pem);
}

static void test_callback_by_url(void)
{
	static const char *const exact[] = {"http://gosspublic.alicdn.com/callback_pub_key_v1.pem"};
	static const char *const other[] = {"http://gosspublic.alicdn.com", "https://example.com/"};
	struct postern_callback c = callback();
	struct asked asked = {.pem = pem};
	OK(postern_callback_verify_by_url(&c, NULL, 0, give, &asked) == POSTERN_OK, "a key of OSS");
	OK(asked.times == 1 && strcmp(asked.url, exact[0]) == 0, "is asked for once");
	OK(postern_callback_verify_by_url(&c, exact, 1, give, &asked) == POSTERN_OK,
		"a URL in full");
	OK(postern_callback_verify_by_url(&c, other, 2, give, &asked) == POSTERN_NOT_TRUSTED &&
			asked.times == 2,
		"another one is not asked for");
	OK(postern_callback_verify_by_url(&c, exact, 0, give, &asked) == POSTERN_NOT_TRUSTED,
		"an empty list trusts nobody");
	asked.pem = NULL;
	OK(postern_callback_verify_by_url(&c, NULL, 0, give, &asked) == POSTERN_NO_KEY,
		"there is none");
	/* http://gosspublic.alicdn.com/ and a line feed */
	c.key_url = "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS8K";
	OK(postern_callback_verify_by_url(&c, NULL, 0, give, &asked) == POSTERN_NOT_TRUSTED,
		"a line feed in the URL");
	c.key_url = NULL;
	OK(postern_callback_verify_by_url(&c, NULL, 0, give, &asked) == POSTERN_NOT_TRUSTED,
		"no URL");
}

/* ---- Presigned URLs ---------------------------------------------------------------------------
 */

static struct postern_request request(void)
{
	return (struct postern_request){
		.size = sizeof(struct postern_request),
		.now = NOW,
		.expires_seconds = 600,
		.method = "GET",
		.base_url = "https://b.example.com/",
		.bucket = "bucket",
		.key = "a b/\xc3\xa9+.txt",
	};
}

static void test_presign(void)
{
	char url[4096];
	struct postern_request r = request();
	struct postern_signer s = changed("to/ken", 4);
	OK(postern_presign(&r, &s, url, sizeof(url)) == POSTERN_OK, "a URL of V4");
	OK(strstr(url, "https://b.example.com/a%20b/%C3%A9%2B.txt?x-oss-security-token=to%2Fken"
		       "&x-oss-signature-version=OSS4-HMAC-SHA256&") == url,
		"its beginning");
	s.version = 1;
	OK(postern_presign(&r, &s, url, sizeof(url)) == POSTERN_OK &&
			strstr(url, "?security-token=to%2Fken&OSSAccessKeyId=id&Expires=1764339000"
				    "&Signature="),
		"a URL of V1");
	r.query = "response-content-type=a%26versionId%3D1";
	OK(postern_presign(&r, &s, url, sizeof(url)) == POSTERN_INVALID,
		"V1 would sign two URLs at once");
	r = request();
	size_t need = postern_presign(&r, &v4, url, sizeof(url)) == POSTERN_OK ? strlen(url) : 0;
	OK(postern_presign(&r, &v4, url, need) == POSTERN_TOO_SMALL &&
			postern_presign(&r, &v4, url, need + 1) == POSTERN_OK,
		"a byte too few");
	r.size = 4;
	OK(postern_presign(&r, &v4, url, sizeof(url)) == POSTERN_INVALID, "too short a structure");
	r = request();
	r.base_url = "https://b.example.com/?x=1#f";
	OK(postern_presign(&r, &v4, url, sizeof(url)) == POSTERN_INVALID, "a query in the base");
	r = request();
	r.header_count = 33;
	OK(postern_presign(&r, &v4, url, sizeof(url)) == POSTERN_INVALID, "too many headers");
	OK(postern_presign(NULL, &v4, url, sizeof(url)) == POSTERN_INVALID, "nothing");
}

static void test_texts(void)
{
	bool good = true;
	for (int i = POSTERN_OK; i <= POSTERN_NO_KEY; i++)
		good = good && postern_result_text(i)[0];
	OK(good && postern_result_text(-1)[0] && postern_result_text(1000)[0], "texts");
	OK(strchr(postern_version(), '.') != NULL, "the version");
}

int main(void)
{
	test_policy();
	test_small_buffers();
	test_refused_policies();
	test_callback();
	test_callback_by_url();
	test_presign();
	test_texts();
	return tap_done();
}
