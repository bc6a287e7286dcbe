/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "oss/sign/sign.h"
#include "oss/sign/sign_v4.h"
#include "tap.h"

static char memory[16384];
static struct arena arena;
static struct arena queries; /* decoded ones */
static struct refusal why;

static enum err parse(const struct sign_request *r, struct sign_parsed *ret)
{
	arena_reset(&arena);
	arena_init(&arena, memory, sizeof(memory), LIMIT_REQUEST_ARENA_BYTES);
	why = (struct refusal){0};
	return sign_parse(r, &arena, ret, &why);
}

static enum err verify(
	const struct sign_parsed *p, const struct sign_request *r, const char *secret)
{
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(canonical, SIGN_TEXT_BYTES);
	return sign_verify(p, r, slice_str(secret), NULL, &text, &canonical);
}

#define H(n, v)                            \
	{                                  \
		SLICE_LIT(n), SLICE_LIT(v) \
	}
#define QUERY "param1=value1&%2Bparam1=value3&%7Cparam1=value4&%2Bparam2&%7Cparam2&param2"
#define MAX_HEADERS 10

static struct query query_of(struct slice text)
{
	struct query query;
	OK(query_parse(text, &queries, &query), "the query is decoded");
	return query;
}

/* A request that the SDKs' own tests sign. */
struct request {
	struct http_header headers[MAX_HEADERS];
	struct sign_request r;
};

static void add_header(struct request *q, const char *name, const char *value)
{
	q->headers[q->r.header_count++] = (struct http_header){slice_str(name), slice_str(value)};
}

static void sdk_request(struct request *q, const char *type)
{
	*q = (struct request){.r = {.method = S("PUT"),
				      .bucket = S("bucket"),
				      .key = S("1234+-/123/1.txt"),
				      .query = query_of(S(QUERY))}};
	q->r.headers = q->headers;
	add_header(q, "x-oss-head1", "value");
	add_header(q, "abc", "value");
	add_header(q, "ZAbc", "value");
	add_header(q, "XYZ", "value");
	add_header(q, "content-type", type);
}

/* A request of the SDKs' header tests; `time` as in x-oss-date. */
static void header_request(struct request *q, const char *authorization, const char *time)
{
	sdk_request(q, "text/plain");
	add_header(q, "x-oss-content-sha256", "UNSIGNED-PAYLOAD");
	add_header(q, "x-oss-date", time);
	add_header(q, "Authorization", authorization);
}

static void sdk_header_vectors(void)
{
	static const struct {
		const char *name, *time, *token, *authorization;
	} vectors[] = {
		{"plain", "20231216T162057Z", NULL,
			"OSS4-HMAC-SHA256 "
			"Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,Signature="
			"e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"},
		{"with a token", "20231217T034736Z", "token",
			"OSS4-HMAC-SHA256 "
			"Credential=ak/20231217/cn-hangzhou/oss/aliyun_v4_request,Signature="
			"b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"},
		{"with additional headers", "20231216T172512Z", NULL,
			"OSS4-HMAC-SHA256 Credential=ak/20231216/cn-hangzhou/oss/"
			"aliyun_v4_request,AdditionalHeaders=abc;zabc,Signature="
			"4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"},
		{"in the order and with the spaces of oss2", "20231216T172512Z", NULL,
			"OSS4-HMAC-SHA256 Credential=ak/20231216/cn-hangzhou/oss/"
			"aliyun_v4_request, Signature="
			"4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f, "
			"AdditionalHeaders=ZAbc;abc;content-type;abc"},
		{"of a cloud box", "20231216T162057Z", NULL,
			"OSS4-HMAC-SHA256 "
			"Credential=ak/20231216/cb-123/oss-cloudbox/aliyun_v4_request,Signature="
			"94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43"},
	};
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct request q;
		struct sign_parsed p;
		header_request(&q, vectors[i].authorization, vectors[i].time);
		if (vectors[i].token)
			add_header(&q, "x-oss-security-token", vectors[i].token);
		IS_INT(parse(&q.r, &p), ERR_OK, vectors[i].name);
		IS_INT(p.scheme, SIGN_V4_HEADER, "its scheme");
		IS(p.access_key_id, S("ak"), "its key id");
		IS_INT(verify(&p, &q.r, "sk"), ERR_OK, vectors[i].name);
		IS_INT(verify(&p, &q.r, "sK"), ERR_SIGNATURE_MISMATCH, "another secret");
		OK(slice_eq(p.security_token, slice_str(vectors[i].token)), "its token");
	}
}

static void sdk_canonical(void)
{
	struct request q;
	struct sign_parsed p;
	header_request(&q,
		"OSS4-HMAC-SHA256 "
		"Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,Signature=00",
		"20231216T162057Z");
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(canonical, SIGN_TEXT_BYTES);
	IS_INT(parse(&q.r, &p), ERR_OK, "is read");
	IS_INT(sign_verify(&p, &q.r, S("sk"), NULL, &text, &canonical), ERR_SIGNATURE_MISMATCH,
		"a wrong signature");
	IS(strbuf_slice(&canonical),
		S("PUT\n/bucket/1234%2B-/123/1.txt\n"
		  "%2Bparam1=value3&%2Bparam2&%7Cparam1=value4&%7Cparam2&param1=value1&param2\n"
		  "content-type:text/plain\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n"
		  "x-oss-date:20231216T162057Z\nx-oss-head1:value\n\n\nUNSIGNED-PAYLOAD"),
		"shows the canonical request");
	IS(strbuf_slice(&text),
		S("OSS4-HMAC-SHA256\n20231216T162057Z\n20231216/cn-hangzhou/oss/"
		  "aliyun_v4_request\n"
		  "f4613657f1b108998e8dbd10a1aa5da621dc2c6e02c9ddec0f163664848704c4"),
		"and the text that was signed");
}

#define URL(time, expires, credential, more, signature)                                \
	QUERY "&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=" credential \
	      "&x-oss-date=" time "&x-oss-expires=" expires more "&x-oss-signature=" signature
#define CREDENTIAL(day) "ak%2F" day "%2Fcn-hangzhou%2Foss%2Faliyun_v4_request"

static void sdk_url_vectors(void)
{
	static const char *const urls[] = {
		URL("20231217T025437Z", "599", CREDENTIAL("20231217"), "",
			"a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe"),
		URL("20231217T035628Z", "599", CREDENTIAL("20231217"),
			"&x-oss-security-token=token",
			"3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5"),
		URL("20231217T033009Z", "599", CREDENTIAL("20231217"),
			"&x-oss-additional-headers=abc%3Bzabc",
			"6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7"),
	};
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct request q;
		struct sign_parsed p;
		sdk_request(&q, "application/octet-stream");
		q.r.query = query_of(slice_str(urls[i]));
		OK(parse(&q.r, &p) == ERR_OK, "URL %zu is read", i);
		IS_INT(p.scheme, SIGN_V4_URL, "its scheme");
		IS(p.access_key_id, S("ak"), "its key id");
		IS_INT(verify(&p, &q.r, "sk"), ERR_OK, "it verifies");
		q.headers[2].value = S("other");
		IS_INT(verify(&p, &q.r, "sk"), i == 2 ? ERR_SIGNATURE_MISMATCH : ERR_OK,
			"a header counts if it is listed");
		q.headers[0].value = S("other");
		IS_INT(verify(&p, &q.r, "sk"), ERR_SIGNATURE_MISMATCH, "x-oss- always counts");
	}
}

/* The documentation's example: its key does not belong to its secret, so the last steps only. */
static void documentation(void)
{
	struct request q = {
		.r = {.method = S("PUT"), .bucket = S("examplebucket"), .key = S("exampleobject")}};
	static const struct slice additional[] = {
		SLICE_LIT("content-disposition"), SLICE_LIT("content-length")};
	struct credential c;
	struct hmac_sha256 key;
	uint8_t bytes[SHA256_BYTES];
	q.r.headers = q.headers;
	add_header(&q, "content-disposition", "attachment");
	add_header(&q, "content-length", "3");
	add_header(&q, "content-md5", "ICy5YqxZB1uWSwcVLSNLcA==");
	add_header(&q, "content-type", "text/plain");
	add_header(&q, "x-oss-content-sha256", "UNSIGNED-PAYLOAD");
	add_header(&q, "x-oss-date", "20250411T064124Z");
	SCOPED_STRBUF(canonical, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(signature, 128);
	OK(sign_v4_canonical(&q.r, additional, 2, SIGN_V4_EMPTY_BARE, &canonical), "canonical");
	IS_INT(credential_parse(S("ak/20250411/cn-hangzhou/oss/aliyun_v4_request"), &c),
		CREDENTIAL_OK, "credential");
	sign_v4_text(&c, S("20250411T064124Z"), strbuf_slice(&canonical), &text);
	OK(slice_ends(strbuf_slice(&text),
		   S("c46d96390bdbc2d739ac9363293ae9d710b14e48081fcb22cd8ad54b63136eca")),
		"the printed digest");
	OK(hex_decode(S("3543b7686e65eda71e5e5ca19d548d78423c37e8ddba4dc9d83f90228b457c76"), bytes,
		   sizeof(bytes)),
		"the printed key");
	hmac_sha256_key(&key, slice_of(bytes, sizeof(bytes)));
	sign_v4_signature(&key, strbuf_slice(&text), &signature);
	IS(strbuf_slice(&signature),
		S("053edbf550ebd239b32a9cdfd93b0b2b3f2d223083aa61f75e9ac16856d61f23"),
		"the printed signature");
	credential_signing_key(&c, S("yourAccessKeySecret"), NULL, &key);
	strbuf_clear(&signature);
	sign_v4_signature(&key, strbuf_slice(&text), &signature);
	IS(strbuf_slice(&signature),
		S("d3694c2dfc5371ee6acd35e88c4871ac95a7ba01d3a2f476768fe61218590097"),
		"the signature of the printed secret");
}

static void credentials(void)
{
	static const struct {
		const char *text;
		enum credential_result want;
	} cases[] = {
		{"ak/20231216/cn-hangzhou/oss/aliyun_v4_request", CREDENTIAL_OK},
		{"ak/20231216/r/oss-cloudbox/aliyun_v4_request", CREDENTIAL_OK},
		{"", CREDENTIAL_MALFORMED},
		{"ak", CREDENTIAL_MALFORMED},
		{"ak/20231216/cn-hangzhou/oss", CREDENTIAL_MALFORMED},
		{"/20231216/cn-hangzhou/oss/aliyun_v4_request", CREDENTIAL_MALFORMED},
		{"ak/20231216//oss/aliyun_v4_request", CREDENTIAL_MALFORMED},
		{"ak/20231316/cn-hangzhou/oss/aliyun_v4_request", CREDENTIAL_BAD_DATE},
		{"ak/2023121/cn-hangzhou/oss/aliyun_v4_request", CREDENTIAL_BAD_DATE},
		{"ak/20231216/cn-hangzhou/s3/aliyun_v4_request", CREDENTIAL_BAD_PRODUCT},
		{"ak/20231216/cn-hangzhou/oss/aws4_request", CREDENTIAL_BAD_ENDING},
		{"ak/20231216/cn-hangzhou/oss/aliyun_v4_request/x", CREDENTIAL_BAD_ENDING},
		{"ak/20231216/cn-hangzhou/oss/aliyun_v4_request ", CREDENTIAL_BAD_ENDING},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct credential c;
		OK(credential_parse(slice_str(cases[i].text), &c) == cases[i].want, "[%s]",
			cases[i].text);
	}
	struct credential c;
	SCOPED_STRBUF(text, 100);
	IS_INT(credential_parse(slice_str(cases[0].text), &c), CREDENTIAL_OK, "is read");
	credential_add(&c, &text);
	IS(strbuf_slice(&text), slice_str(cases[0].text), "is written as it was");
	IS_INT(c.day_ms, INT64_C(1702684800000), "its midnight");
}

/* The key of the chain as it is defined, for secrets around the block size of HMAC. */
static void long_secrets(void)
{
	struct credential c;
	IS_INT(credential_parse(S("ak/20231216/r/oss/aliyun_v4_request"), &c), CREDENTIAL_OK, "ok");
	bool same = true;
	for (size_t len = 0; len < 140; len++) {
		char text[9 + 140] = "aliyun_v4";
		uint8_t k[SHA256_BYTES], got[SHA256_BYTES], want[SHA256_BYTES];
		memset(text + 9, 's', len);
		hmac_sha256_of(slice_of(text, 9 + len), c.day, k);
		hmac_sha256_of(slice_of(k, sizeof(k)), c.region, k);
		hmac_sha256_of(slice_of(k, sizeof(k)), c.product, k);
		hmac_sha256_of(slice_of(k, sizeof(k)), S("aliyun_v4_request"), k);
		hmac_sha256_of(slice_of(k, sizeof(k)), S("text"), want);
		struct hmac_sha256 key;
		credential_signing_key(&c, slice_of(text + 9, len), NULL, &key);
		hmac_sha256_sign(&key, S("text"), got);
		same = same && memcmp(got, want, sizeof(got)) == 0;
	}
	OK(same, "secrets of any length");
}

static void key_cache(void)
{
	static struct sign_key_cache cache;
	static const char *const secrets[] = {"one", "two", ""};
	static const char *const scopes[] = {"ak/20231216/r/oss/aliyun_v4_request",
		"ak/20231217/r/oss/aliyun_v4_request", "ak/20231216/q/oss/aliyun_v4_request",
		"ak/20231216/r/oss-cloudbox/aliyun_v4_request"};
	bool same = true;
	for (int round = 0; round < 40; round++) {
		struct credential c;
		struct hmac_sha256 cached, fresh;
		struct slice secret = slice_str(secrets[round % 3]);
		if (credential_parse(slice_str(scopes[round % 4]), &c) != CREDENTIAL_OK)
			same = false;
		credential_signing_key(&c, secret, &cache, &cached);
		credential_signing_key(&c, secret, NULL, &fresh);
		uint8_t a[SHA256_BYTES], b[SHA256_BYTES];
		hmac_sha256_sign(&cached, S("text"), a);
		hmac_sha256_sign(&fresh, S("text"), b);
		same = same && memcmp(a, b, sizeof(a)) == 0;
	}
	OK(same, "a kept key is that of its secret and scope");
	sign_key_cache_clear(&cache);
	static const struct sign_key_cache empty;
	OK(memcmp(&cache, &empty, sizeof(cache)) == 0, "and is gone when cleared");
}

static void header_refusals(void)
{
#define C "Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request"
	static const struct {
		const char *name, *authorization, *time;
		enum err want;
	} cases[] = {
		{"plain", "OSS4-HMAC-SHA256 " C ",Signature=00", "20231216T162057Z", ERR_OK},
		{"no signature", "OSS4-HMAC-SHA256 " C, "20231216T162057Z",
			ERR_INVALID_AUTHORIZATION},
		{"an empty signature", "OSS4-HMAC-SHA256 " C ",Signature=", "20231216T162057Z",
			ERR_INVALID_AUTHORIZATION},
		{"no credential", "OSS4-HMAC-SHA256 Signature=00", "20231216T162057Z",
			ERR_INVALID_AUTHORIZATION},
		{"two signatures", "OSS4-HMAC-SHA256 " C ",Signature=00,Signature=01",
			"20231216T162057Z", ERR_INVALID_AUTHORIZATION},
		{"no =", "OSS4-HMAC-SHA256 " C ",Signature", "20231216T162057Z",
			ERR_INVALID_AUTHORIZATION},
		{"nothing", "OSS4-HMAC-SHA256", "20231216T162057Z", ERR_INVALID_AUTHORIZATION},
		{"an S3 signature", "AWS4-HMAC-SHA256 " C ",Signature=00", "20231216T162057Z",
			ERR_INVALID_AUTHORIZATION},
		{"a part that is not known", "OSS4-HMAC-SHA256 " C ",New=1,Signature=00",
			"20231216T162057Z", ERR_OK},
		{"the day after", "OSS4-HMAC-SHA256 " C ",Signature=00", "20231217T000000Z",
			ERR_INVALID_ARGUMENT},
		{"a bad time", "OSS4-HMAC-SHA256 " C ",Signature=00", "20231216T256057Z",
			ERR_ACCESS_DENIED},
		{"a header that is not there",
			"OSS4-HMAC-SHA256 " C ",AdditionalHeaders=abc;host,Signature=00",
			"20231216T162057Z", ERR_INVALID_ARGUMENT},
		{"a bad credential",
			"OSS4-HMAC-SHA256 Credential=ak/20231216/oss/aliyun_v4_request,"
			"Signature=00",
			"20231216T162057Z", ERR_INVALID_ARGUMENT},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct request q;
		struct sign_parsed p;
		header_request(&q, cases[i].authorization, cases[i].time);
		IS_INT(parse(&q.r, &p), cases[i].want, cases[i].name);
	}
	struct request q;
	struct sign_parsed p;
	header_request(&q, cases[0].authorization, cases[0].time);
	q.headers[5].value = S("e3b0c44298fc1c149afbf4c8996fb924");
	IS_INT(parse(&q.r, &p), ERR_INVALID_ARGUMENT, "a digest of the payload");
	q.headers[5].name = S("x-other");
	IS_INT(parse(&q.r, &p), ERR_INVALID_ARGUMENT, "nothing about the payload");
	header_request(&q, cases[0].authorization, cases[0].time);
	q.r.query = query_of(S("x-oss-signature=00"));
	IS_INT(parse(&q.r, &p), ERR_INVALID_ARGUMENT, "a URL signature besides");
}

static void times_and_regions(void)
{
	struct request q;
	struct sign_parsed p;
	const int64_t t = INT64_C(1702743657000); /* 2023-12-16T16:20:57Z */
	header_request(&q, "OSS4-HMAC-SHA256 " C ",Signature=00", "20231216T162057Z");
	IS_INT(parse(&q.r, &p), ERR_OK, "is read");
	IS_INT(p.time_ms, t, "its time");
	IS_INT(sign_check_time(&p, t + 900000), ERR_OK, "15 minutes late");
	IS_INT(sign_check_time(&p, t + 900001), ERR_TIME_TOO_SKEWED, "later");
	IS_INT(sign_check_time(&p, t - 900001), ERR_TIME_TOO_SKEWED, "too early");
	IS_INT(sign_check_region(&p, S("")), ERR_OK, "any region will do");
	IS_INT(sign_check_region(&p, S("cn-hangzhou")), ERR_OK, "the region asked for");
	IS_INT(sign_check_region(&p, S("cn-beijing")), ERR_INVALID_REGION, "another region");

	q.headers[6] = (struct http_header)H("Date", "Sat, 16 Dec 2023 16:20:57 GMT");
	IS_INT(parse(&q.r, &p), ERR_OK, "the header Date will do");
	IS(p.time_text, S("20231216T162057Z"), "and is signed the other way");
	q.headers[6] = (struct http_header)H("Date", "Sat, 16 Dec 2023 16:20:57 CET");
	IS_INT(parse(&q.r, &p), ERR_ACCESS_DENIED, "if it is one");
#undef C
}

static void url_refusals(void)
{
	static const struct {
		const char *name, *query;
		enum err want;
	} cases[] = {
		{"whole", URL("20231217T025437Z", "599", CREDENTIAL("20231217"), "", "0"), ERR_OK},
		{"one second", URL("20231217T025437Z", "1", CREDENTIAL("20231217"), "", "0"),
			ERR_OK},
		{"a week", URL("20231217T025437Z", "604800", CREDENTIAL("20231217"), "", "0"),
			ERR_OK},
		{"over a week", URL("20231217T025437Z", "604801", CREDENTIAL("20231217"), "", "0"),
			ERR_INVALID_ARGUMENT},
		{"no second", URL("20231217T025437Z", "0", CREDENTIAL("20231217"), "", "0"),
			ERR_INVALID_ARGUMENT},
		{"not a number", URL("20231217T025437Z", "1h", CREDENTIAL("20231217"), "", "0"),
			ERR_INVALID_ARGUMENT},
		{"no expiry", URL("20231217T025437Z", "", CREDENTIAL("20231217"), "", "0"),
			ERR_INVALID_ARGUMENT},
		{"no signature", URL("20231217T025437Z", "1", CREDENTIAL("20231217"), "", ""),
			ERR_INVALID_ARGUMENT},
		{"no date", URL("", "1", CREDENTIAL("20231217"), "", "0"), ERR_INVALID_ARGUMENT},
		{"a bad date", URL("2023", "1", CREDENTIAL("20231217"), "", "0"),
			ERR_ACCESS_DENIED},
		{"another day", URL("20231217T025437Z", "1", CREDENTIAL("20231216"), "", "0"),
			ERR_INVALID_ARGUMENT},
		{"no credential", URL("20231217T025437Z", "1", "", "", "0"), ERR_INVALID_ARGUMENT},
		{"a header that is not there",
			URL("20231217T025437Z", "1", CREDENTIAL("20231217"),
				"&x-oss-additional-headers=nobody", "0"),
			ERR_INVALID_ARGUMENT},
		{"a V2 signature", "x-oss-signature-version=OSS2&x-oss-signature=0",
			ERR_INVALID_ARGUMENT},
		{"no version", "x-oss-signature=0", ERR_INVALID_ARGUMENT},
		{"V1 besides",
			URL("20231217T025437Z", "1", CREDENTIAL("20231217"), "&Signature=1", "0"),
			ERR_INVALID_ARGUMENT},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct request q;
		struct sign_parsed p;
		sdk_request(&q, "a/b");
		q.r.query = query_of(slice_str(cases[i].query));
		IS_INT(parse(&q.r, &p), cases[i].want, cases[i].name);
		OK(cases[i].want == ERR_OK || why.message.len > 0, "says why");
	}
	struct request q;
	struct sign_parsed p;
	const int64_t t = INT64_C(1702781677000); /* 2023-12-17T02:54:37Z */
	sdk_request(&q, "a/b");
	q.r.query = query_of(slice_str(cases[0].query));
	IS_INT(parse(&q.r, &p), ERR_OK, "is read");
	IS_INT(sign_check_time(&p, t - 900000), ERR_OK, "15 minutes early");
	IS_INT(sign_check_time(&p, t - 900001), ERR_TIME_TOO_SKEWED, "earlier");
	IS_INT(sign_check_time(&p, t + 599000), ERR_OK, "until its end");
	IS_INT(sign_check_time(&p, t + 599001), ERR_REQUEST_EXPIRED, "and no longer");
}

/* The JavaScript SDK signs `uploads=`, the others `uploads`. */
static void empty_values(void)
{
	for (int equals = 0; equals < 2; equals++) {
		struct request q;
		struct sign_parsed p;
		struct hmac_sha256 key;
		header_request(&q,
			"OSS4-HMAC-SHA256 "
			"Credential=ak/20231216/r/oss/aliyun_v4_request,Signature=00",
			"20231216T162057Z");
		q.r.query = query_of(S("uploads=&a=1"));
		SCOPED_STRBUF(canonical, SIGN_TEXT_BYTES);
		SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
		SCOPED_STRBUF(signature, 128);
		IS_INT(parse(&q.r, &p), ERR_OK, "is read");
		OK(sign_v4_canonical(&q.r, NULL, 0,
			   equals ? SIGN_V4_EMPTY_EQUALS : SIGN_V4_EMPTY_BARE, &canonical),
			"canonical");
		sign_v4_text(&p.credential, p.time_text, strbuf_slice(&canonical), &text);
		credential_signing_key(&p.credential, S("sk"), NULL, &key);
		sign_v4_signature(&key, strbuf_slice(&text), &signature);
		p.signature = strbuf_slice(&signature);
		IS_INT(verify(&p, &q.r, "sk"), ERR_OK,
			equals ? "signed with the equals sign" : "signed without it");
	}
}

static void round_trips(void)
{
	static const struct slice additional[] = {SLICE_LIT("abc"), SLICE_LIT("xyz")};
	struct sign_v4_signer signer = {.access_key_id = S("ak"),
		.secret = S("sk"),
		.region = S("cn-hangzhou"),
		.product = S("oss"),
		.additional = additional,
		.additional_count = 2};
	struct request q;
	struct sign_parsed p;
	SCOPED_STRBUF(out, 4096);
	header_request(&q, "", "20231216T162057Z");
	OK(sign_v4_header(&q.r, &signer, INT64_C(1702743657000), &out), "signs a header");
	q.headers[7].value = strbuf_slice(&out);
	IS_INT(parse(&q.r, &p), ERR_OK, "which is read");
	IS_INT(verify(&p, &q.r, "sk"), ERR_OK, "and verifies");
	q.headers[3].value = S("changed");
	IS_INT(verify(&p, &q.r, "sk"), ERR_SIGNATURE_MISMATCH, "not with a header changed");

	for (int list = 0; list < 2; list++) {
		sdk_request(&q, "a/b");
		q.r.query = query_of(list ? S("x-oss-security-token=t%2Fo") : S(""));
		signer.additional_count = list ? 2 : 0;
		strbuf_clear(&out);
		OK(sign_v4_url(&q.r, &signer, INT64_C(1702743657000), 60, &out), "signs a URL");
		q.r.query = query_of(strbuf_slice(&out));
		IS_INT(parse(&q.r, &p), ERR_OK, "which is read");
		IS(p.security_token, list ? S("t/o") : S(""), "with its token");
		IS_INT(p.expires_ms, INT64_C(1702743717000), "and its end");
		IS_INT(verify(&p, &q.r, "sk"), ERR_OK, "and verifies");
		q.r.key = S("other");
		IS_INT(verify(&p, &q.r, "sk"), ERR_SIGNATURE_MISMATCH, "not for another object");
	}
}

/* Without memory, wherever it runs out, a request is neither refused nor anonymous. */
static void no_memory(void)
{
	bool as_said = true;
	size_t room = 0;
	enum err e = ERR_UNAVAILABLE;
	for (; e == ERR_UNAVAILABLE && room < sizeof(memory); room += 8) {
		struct request q;
		struct sign_parsed p = {.scheme = SIGN_NONE};
		SCOPED_FREE char *first = malloc(room + 1);
		struct arena small;
		sdk_request(&q, "a/b");
		q.r.query = query_of(S(URL("20231217T025437Z", "599", CREDENTIAL("20231217"),
			"&x-oss-additional-headers=ABC%3Bzabc", "0")));
		arena_init(&small, first, room, 0);
		e = sign_parse(&q.r, &small, &p, &why);
		as_said = as_said && (e == ERR_OK) == (p.scheme == SIGN_V4_URL);
		arena_reset(&small);
	}
	OK(as_said && e == ERR_OK && room > 40, "runs out of memory %zu times", room / 8);
}

int main(void)
{
	arena_init(&queries, NULL, 0, LIMIT_REQUEST_ARENA_BYTES);
	sdk_header_vectors();
	sdk_canonical();
	sdk_url_vectors();
	documentation();
	credentials();
	long_secrets();
	key_cache();
	header_refusals();
	times_and_regions();
	url_refusals();
	empty_values();
	round_trips();
	no_memory();
	arena_reset(&arena);
	arena_reset(&queries);
	return tap_done();
}
