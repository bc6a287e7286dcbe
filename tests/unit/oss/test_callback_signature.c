/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callback signatures: the requests that Alibaba signed (spec: callback section 9), signing and
 * verifying with a key of our own, and what is said of a request that does not verify.
 */
#include "oss/callback/callback_signature.h"

#include "base/encode.h"
#include "crypto/rsa.h"
#include "tap.h"

static const char alibaba_pem[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\n"
	"C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n"
	"-----END PUBLIC KEY-----\n";

struct request {
	const char *target, *body, *authorization;
};

static const struct request alibaba[] = {
	{"/index.php?id=1&index=2", "bucket=yonghu-test",
		"kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/"
		"RaHBovRCE8OkQDjC3uG33esH2t"
		"xA=="},
	{"/", "filename=.snappython.png&size=6014&mimeType=image%2Fpng&height=221&width=396",
		"fsNxFF0wNOpC0YMNAoFb//"
		"a8x6v2lI1ih7kXIh3nFUDALgku9bhC+cWQsnxuCo88vahKtBUmnDI6k1Pofgg"
		"A4g=="},
	{"/api/v3/callback/oss/TnXx5E5VyfJUyM1UdkdDu1rtnJ34EbmH",
		"{\"name\":\"2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg\",\"source_name\":"
		"\"1/1_hFRtDLgM_2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg\",\"size\":114020,"
		"\"pic_info\":\"810,539\"}",
		"e5LwzwTkP9AFAItT4YzvdJOHd0Y0wqTMWhsV/"
		"h5SG90JYGAmMd+8LQyj96R+9qUfJWjMt6suuUh7LaOryR8"
		"7Dw=="},
	{"/api/osscallguanfanback?authid=4af091d4-c5c9-4e18-bbdc-2fe489f4887f",
		"filename=test%2Fcaipu%2F5%2Fa%2F2%2F5aa308723660421a560fcc062d745502.jpg&size="
		"10606"
		"&mimeType=image%2Fjpeg&height=400&width=650",
		"WxTga53k31TD59o6JF1jh9zcrInTDlfodb0OgQuzlO5Qaf18NxcqxlcpU4gMuhUrQ0lTmWrXji8gFVTKIc"
		"9"
		"JJQ=="},
	{"/api/AliYunOssCallback",
		"filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278"
		"&width=200",
		"HHtQ8zgAo4WUCg7Iy/"
		"njrsluS+ZDmgMwIHag+vmRvIC4Ph5rxNQ3+WOfJZvzwIKQsNftEDC0PCU03hpjId3"
		"vIQ=="},
	{"/api/any",
		"filename=\"local/var/www/zhuye.png\"&size=5385&mimeType=\"application/"
		"octet-stream\""
		"&height=256&width=256",
		"E6i//T0rnM/"
		"xu4wQjnKODWSYsyQdR2e8KIreuRihpBQzoy70q7KmdvrIR3vxNGi8OdCswE+QOfPt+O3PvA5"
		"NMA=="},
	{"/temp/oss/index.php",
		"{\"mimeType\":\"image/png\", \"size\":1081151, \"filename\",\"ipa/demo/"
		"4c7ccb26-8495-4f46-be10-df2b3296b7f6.png\", \"bucket\":\"oss-mixmedia-com\"}",
		"MEV0a4eDF4hqB2W1b7Xm9fj8N9NmGHmgKThpMJqFOf+qFoLJsy5AolGPYL/nQqvNhDQQ3MV74/"
		"VJT9p0iOg"
		"6ng=="},
};

static bool verifies(const struct rsa_public *key, const char *target, const char *authorization,
	const char *body)
{
	return callback_verify(key, slice_str(target), slice_str(authorization), slice_str(body));
}

static bool verifies_text(const struct rsa_public *key, const struct request *r,
	struct slice target, struct slice body)
{
	return callback_verify(key, target, slice_str(r->authorization), body);
}

/* Every byte of body, target and signature counts. */
static void genuine(const struct rsa_public *key)
{
	for (size_t i = 0; i < ARRAY_LEN(alibaba); i++) {
		const struct request *r = &alibaba[i];
		int accepted = 0;
		OK(verifies(key, r->target, r->authorization, r->body), "OK%zu verifies", i + 1);
		for (size_t at = 0; at < strlen(r->body); at++) {
			SCOPED_STRBUF(body, 1000);
			strbuf_adds(&body, r->body);
			body.ptr[at] ^= 1;
			accepted +=
				verifies_text(key, r, slice_str(r->target), strbuf_slice(&body));
		}
		for (size_t at = 0; at < strlen(r->target); at++) {
			SCOPED_STRBUF(target, 1000);
			strbuf_adds(&target, r->target);
			target.ptr[at] ^= 1;
			accepted +=
				verifies_text(key, r, strbuf_slice(&target), slice_str(r->body));
		}
		for (size_t at = 0; at < strlen(r->authorization) - 3; at++) {
			SCOPED_STRBUF(text, 1000);
			strbuf_adds(&text, r->authorization);
			text.ptr[at] = text.ptr[at] == 'A' ? 'B' : 'A';
			accepted += !slice_eq(strbuf_slice(&text), slice_str(r->authorization)) &&
				    verifies(key, r->target, text.ptr, r->body);
		}
		IS_INT(accepted, 0, "and with any byte changed it does not");
	}
}

/* Mistakes of the documentation and of receivers (spec: callback sections 9 and 10). */
static void wrong(const struct rsa_public *key)
{
	const struct request *r = &alibaba[0];
	OK(!verifies(key, r->target, r->authorization, "bucket=examplebucket"), "the masked body");
	OK(!verifies(key, "/index.html", r->authorization, r->body), "another path");
	OK(!verifies(key, "/index.php", r->authorization, r->body), "no query");
	OK(!verifies(key, "/index.php??id=1&index=2", r->authorization, r->body), "a ? more");
	OK(!verifies(key, r->target, r->authorization, "bucket=yonghu-test\n"), "a line end more");
	OK(!verifies(key, "/?", alibaba[1].authorization, alibaba[1].body), "a lone ?");
	OK(!verifies(key, alibaba[1].target, r->authorization, r->body), "another's target");
	OK(!verifies(key, r->target, alibaba[1].authorization, r->body), "another's signature");
	OK(!verifies(key, r->target, "", r->body), "no signature");
	OK(!verifies(key, r->target, "AAAA", r->body), "a short signature");
	OK(!verifies(key, r->target, "not base64", r->body), "no base64");
	OK(!verifies(key, "/%", r->authorization, r->body), "a malformed escape");
	SCOPED_STRBUF(scheme, 1000);
	strbuf_addf(&scheme, "OSS %s", r->authorization);
	OK(!verifies(key, r->target, scheme.ptr, r->body), "a scheme word");
	SCOPED_STRBUF(altered, 1000);
	strbuf_adds(&altered, alibaba[2].authorization);
	memcpy(altered.ptr, "e3", 2);
	OK(!verifies(key, alibaba[2].target, altered.ptr, alibaba[2].body), "OK3 with e3 for e5");
	/* Genuine signatures of that key, for requests that nobody knows any more. */
	OK(!verifies(key, "/",
		   "kcF2v+B+3JJ3jUn3a7uDTbOEKkTmG1tYALJQ9h2vj2H/EKBGI74t0lMvFTxfkzQQ+ew"
		   "hAT2obqAfSsQy8SZ/Tg==",
		   ""),
		"an orphan");
}

static void texts(void)
{
	static const char *const rows[][3] = {
		{"/a%20b+c%2F?x=%20+", "body\n", "/a b+c/?x=%20+\nbody\n"},
		{"/", "", "/\n"},
		{"/a?", "b", "/a?\nb"},
		{"/%3Fa?b?c", "", "/?a?b?c\n"},
		{"/%2541", "", "/%41\n"},
		{"/%E4%B8%AD?%", "x", "/\xe4\xb8\xad?%\nx"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SCOPED_STRBUF(out, 1000);
		OK(callback_string_to_sign(slice_str(rows[i][0]), slice_str(rows[i][1]), &out),
			"signed text of %s", rows[i][0]);
		IS(strbuf_slice(&out), slice_str(rows[i][2]), "is this");
	}
	SCOPED_STRBUF(out, 1000);
	OK(!callback_string_to_sign(S("/a%2"), S(""), &out) &&
			!callback_string_to_sign(S("/%zz?a"), S(""), &out),
		"a malformed escape has none");
}

static struct rsa_public *public_half(const struct rsa_private *key)
{
	struct rsa_public *ret = NULL;
	SCOPED_STRBUF(pem, 10000);
	OK(rsa_private_public_pem(key, &pem) == ERR_OK &&
			rsa_public_parse(strbuf_slice(&pem), &ret) == ERR_OK,
		"the public half");
	return ret;
}

static void own_signatures(const struct rsa_private *key, const struct rsa_public *public_key)
{
	for (size_t i = 0; i < ARRAY_LEN(alibaba); i++) {
		struct slice target = slice_str(alibaba[i].target);
		struct slice body = slice_str(alibaba[i].body);
		SCOPED_STRBUF(text, 1000);
		OK(callback_sign(key, target, body, &text) == ERR_OK &&
				callback_verify(public_key, target, strbuf_slice(&text), body) &&
				!callback_verify(public_key, target, strbuf_slice(&text), S("x")),
			"signs and verifies");
	}
	SCOPED_STRBUF(text, 1000);
	IS_INT(callback_sign(key, S("/%"), S(""), &text), ERR_CALLBACK_BAD_URL,
		"does not sign a malformed target");
}

/* What was sent, what arrived, and the words by which the explanation is known. */
static const struct {
	const char *sent_target, *sent_body, *target, *body, *words;
} changed[] = {
	{"/a%2520b", "x=1", "/a%252520b", "x=1", "percent-decoded twice"},
	{"/a%2520b", "x=1", "/a%20b", "x=1", "not percent-decoded"},
	{"/a%20b", "x=1", "/a+b", "x=1", "a + in the path counts as a space"},
	{"/cb", "x=1", "/cb/", "x=1", "slash at the end of the path is left out"},
	{"/cb/?a", "x=1", "/cb?a", "x=1", "slash is put at the end"},
	{"/cb", "x=1", "/cb?added=1", "x=1", "the query is left out"},
	{"/cb?a=%E4b", "x=1", "/cb?a=%e4b", "x=1", "upper case"},
	{"/cb?a=%e4b", "x=1", "/cb?a=%E4b", "x=1", "lower case"},
	{"/cb?a=/", "x=1", "/cb?a=%2F", "x=1", "query is percent-decoded"},
	{"/cb?", "x=1", "/cb", "x=1", "a ? is put behind the path"},
	{"/cb", "x=1", "/app/v1/cb", "x=1", "path begins 2 segments later"},
	{"/cb?a", "x=1", "/app/cb?a", "x=1", "path begins 1 segment later"},
	{"/", "x=1", "/app", "x=1", "path begins 1 segment later"},
	{"/cb", "x=1", "/cb", "x=1\n", "line end at the end of the body is left out"},
	{"/cb", "x=1", "/cb", "x=1\r\n", "line end at the end of the body is left out"},
	{"/cb", "x=1\n", "/cb", "x=1", "a line feed is put at the end"},
	{"/cb", "x=1\r\n", "/cb", "x=1", "CR LF"},
	{"/cb", "a=b%2Fc&d=e%20f", "/cb", "a=b/c&d=e f", "values in the body are percent-encoded"},
	{"/cb", "a=b/c", "/cb", "a=b%2Fc", "body is percent-decoded"},
	{"/cb", "a=b%20c", "/cb", "a=b+c", "each + in the body is %20"},
	{"/cb", "{\"b\":1,\"a\":\"x\"}", "/cb", "{ \"b\": 1, \"a\": \"x\" }", "without spaces"},
	{"/cb", "{\"b\": 1, \"a\": \"x/y\"}", "/cb", "{\"b\":1,\"a\":\"x\\/y\"}",
		"with a space after"},
	{"/cb", "x=1", "/app/cb", "x=1\n",
		"1 segment later and the line end at the end of the body is left out"},
	{"/cb", "x=1", "/cb", "x=1", "verifies as it is"},
	{"/cb", "x=1", "/cb", "x=2", NULL},
	{"/cb", "x=1", "/other", "x=1", NULL},
	{"/cb", "x=1", "/%zz", "", NULL},
};

static void explains(const struct rsa_private *key, const struct rsa_public *public_key)
{
	for (size_t i = 0; i < ARRAY_LEN(changed); i++) {
		SCOPED_STRBUF(text, 1000);
		SCOPED_STRBUF(out, 1000);
		OK(callback_sign(key, slice_str(changed[i].sent_target),
			   slice_str(changed[i].sent_body), &text) == ERR_OK,
			"signs");
		bool found = callback_verify_explain(public_key, slice_str(changed[i].target),
			strbuf_slice(&text), slice_str(changed[i].body), NULL, 0, &out);
		const char *words = changed[i].words ? changed[i].words : "no usual change";
		OK(found == (changed[i].words != NULL) && strstr(out.ptr, words),
			"%s became %s: %s", changed[i].sent_target, changed[i].target, out.ptr);
	}
}

static void explains_signatures(const struct rsa_public *alibaba_key, const struct rsa_public *own)
{
	SCOPED_STRBUF(out, 10000);
	const struct request *r = &alibaba[0];
	OK(!callback_verify_explain(own, slice_str(r->target), slice_str(r->authorization),
		   slice_str(r->body), NULL, 0, &out) &&
			strstr(out.ptr, "not made with this key"),
		"another key");
	strbuf_clear(&out);
	OK(!callback_verify_explain(alibaba_key, S("/"), S("OSS x"), S(""), NULL, 0, &out) &&
			strstr(out.ptr, "not base64"),
		"no base64");
	strbuf_clear(&out);
	OK(callback_verify_explain(alibaba_key, S("/prefix/index.php?id=1&index=2"),
		   slice_str(r->authorization), S("bucket=yonghu-test\n"), NULL, 0, &out),
		"OK1 behind a proxy: %s", out.ptr);
	/* A proxy took a prefix away, of one segment or several; perhaps the query too. */
	static const struct slice expected[] = {
		SLICE_LIT("/other"), SLICE_LIT("/index.php?id=1&index=2")};
	static const char *const came[] = {"/?id=1&index=2", "/", "/php?id=1&index=2", "/x/y?z"};
	for (size_t i = 0; i < ARRAY_LEN(came); i++) {
		strbuf_clear(&out);
		OK(callback_verify_explain(alibaba_key, slice_str(came[i]),
			   slice_str(r->authorization), slice_str(r->body), expected,
			   ARRAY_LEN(expected), &out) &&
				strstr(out.ptr, "the callback URL, /index.php with its query"),
			"%s: %s", came[i], out.ptr);
	}
	static const struct slice without_query = SLICE_LIT("/index.php");
	strbuf_clear(&out);
	OK(callback_verify_explain(alibaba_key, S("/?id=1&index=2"), slice_str(r->authorization),
		   slice_str(r->body), &without_query, 1, &out) &&
			strstr(out.ptr, "/index.php with the query that came"),
		"the query that came: %s", out.ptr);
	/* Known from the signature alone (spec: callback section 9). */
	SCOPED_STRBUF(signature, 100);
	uint8_t digest[MD5_BYTES], want[MD5_BYTES];
	OK(base64_decode(
		   &signature, S("kcF2v+B+3JJ3jUn3a7uDTbOEKkTmG1tYALJQ9h2vj2H/EKBGI74t0lMvFTxf"
				 "kzQQ+ewhAT2obqAfSsQy8SZ/Tg==")) &&
			rsa_public_recover_md5(alibaba_key, strbuf_slice(&signature), digest) &&
			hex_decode(S("da1976a2162f780ee5c1eeaaf31c7c3c"), want, MD5_BYTES) &&
			memcmp(digest, want, MD5_BYTES) == 0,
		"recovers a digest");
}

int main(void)
{
	struct rsa_public *alibaba_key = NULL;
	struct rsa_private *key = NULL;
	OK(rsa_public_parse(slice_str(alibaba_pem), &alibaba_key) == ERR_OK, "Alibaba's key");
	OK(rsa_private_generate(1024, &key) == ERR_OK, "a key of our own");
	struct rsa_public *own = public_half(key);
	genuine(alibaba_key);
	wrong(alibaba_key);
	texts();
	own_signatures(key, own);
	explains(key, own);
	explains_signatures(alibaba_key, own);
	rsa_public_free(alibaba_key);
	rsa_public_free(own);
	rsa_private_free(key);
	return tap_done();
}
