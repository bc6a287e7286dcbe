/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "oss/sign/form_auth.h"
#include "tap.h"
#include "unit/oss/form.h"

/* The Java SDK's vectors, V1, and an own one, V4 (spec: PostObject section 6). */
#define SECRET_V1 "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define POLICY_ONE                                                                                 \
	"eyJleHBpcmF0aW9uIjoiMjAyMC0wMy0xOVQwMzo0NDowNi40NzZaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0Ijoi" \
	"Z2VuLXBvc3QtcG9saWN5In0sWyJlcSIsIiRrZXkiLCJ1c2VyXC9lcmljXC9cXCR7ZmlsZW5hbWV9Il0sWyJzdGFy" \
	"dHMtd2l0aCIsIiRrZXkiLCJ1c2VyXC9lcmljIl0sWyJzdGFydHMtd2l0aCIsIiR4LW9zcy1tZXRhLXRhZyIsImR1" \
	"bW15X2V0YWciXSxbImNvbnRlbnQtbGVuZ3RoLXJhbmdlIiwxLDEwMjRdXX0="
#define POLICY_TWO                                                                                 \
	"eyJleHBpcmF0aW9uIjoiMjAyMC0wMy0xOVQwMzo0NDowNi40NzZaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0Ijoi" \
	"Z2VuLXBvc3QtcG9saWN5In0sWyJzdGFydHMtd2l0aCIsIiRrZXkiLCJ1c2VyXC9lcmljIl0sWyJzdGFydHMtd2l0" \
	"aCIsIiR4LW9zcy1tZXRhLXRhZyIsImR1bW15X2V0YWciXSxbImNvbnRlbnQtbGVuZ3RoLXJhbmdlIiwxLDEwMjRd" \
	"LFsiaW4iLCIkY29udGVudC10eXBlIixbImltYWdlXC9qcGciLCJpbWFnZVwvcG5nIl1dLFsibm90LWluIiwiJGNh" \
	"Y2hlLWNvbnRyb2wiLFsibm8tY2FjaGUiXV1dfQ=="
#define POLICY_V4                                                                                  \
	"eyJleHBpcmF0aW9uIjoiMjAyMy0xMi0xNlQxNzoyMDo1Ny4wMDBaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0Ijoi" \
	"YnVja2V0In0sWyJzdGFydHMtd2l0aCIsIiRrZXkiLCJkaXIvIl0seyJ4LW9zcy1zaWduYXR1cmUtdmVyc2lvbiI6" \
	"Ik9TUzQtSE1BQy1TSEEyNTYifSx7Ingtb3NzLWNyZWRlbnRpYWwiOiJhay8yMDIzMTIxNi9jbi1oYW5nemhvdS9v" \
	"c3MvYWxpeXVuX3Y0X3JlcXVlc3QifSx7Ingtb3NzLWRhdGUiOiIyMDIzMTIxNlQxNjIwNTdaIn1dfQ=="
#define SIGNATURE_V4 "15fa045d8a3235da0ace0cb9fda54577d87513fb689cab3b02ae7c4b7fed0c5a"
#define CREDENTIAL "ak/20231216/cn-hangzhou/oss/aliyun_v4_request"

static struct refusal why;

static enum err parse(struct form form, struct form_auth *ret)
{
	struct form_fields fields = form_fields_of(&form);
	why = (struct refusal){0};
	return form_auth_parse(&fields, ret, &why);
}

static void v1(void)
{
	struct form_auth auth;
	IS_INT(parse(FORM("name", "a.png", "key", "k", "policy", POLICY_ONE, "OSSAccessKeyId", "ak",
			     "success_action_status", "200", "signature",
			     "9fs2TRS2W2k5hV8mLsvqZBnlC2M="),
		       &auth),
		ERR_OK, "the field names of plupload");
	IS_INT(auth.scheme, FORM_V1, "are V1");
	IS(auth.access_key_id, S("ak"), "the key id");
	IS_INT(form_auth_verify(&auth, S(SECRET_V1), NULL), ERR_OK, "the first vector");
	IS_INT(form_auth_verify(&auth, S("B"), NULL), ERR_SIGNATURE_MISMATCH, "another secret");
	auth.policy = S(POLICY_TWO);
	IS_INT(form_auth_verify(&auth, S(SECRET_V1), NULL), ERR_SIGNATURE_MISMATCH,
		"another policy");
	auth.signature = S("/yrk/7alTmdIh9a3YOkkIcKYlbA=");
	IS_INT(form_auth_verify(&auth, S(SECRET_V1), NULL), ERR_OK, "the second vector");
	auth.signature = S("/yrk/7alTmdIh9a3YOkkIcKYlbA");
	IS_INT(form_auth_verify(&auth, S(SECRET_V1), NULL), ERR_SIGNATURE_MISMATCH,
		"a signature cut short");
	IS_INT(form_auth_check_time(&auth, 0), ERR_OK, "V1 has no time");
	IS_INT(form_auth_check_region(&auth, S("cn-beijing")), ERR_OK, "nor a region");

	SCOPED_STRBUF(out, 64);
	form_sign_v1(S(POLICY_TWO), S(SECRET_V1), &out);
	IS(strbuf_slice(&out), S("/yrk/7alTmdIh9a3YOkkIcKYlbA="), "signing");
}

static void v1_refusals(void)
{
	struct form_auth auth;
	IS_INT(parse(FORM("key", "k"), &auth), ERR_OK, "a form without signature");
	IS_INT(auth.scheme, FORM_ANONYMOUS, "is anonymous");
	IS_INT(parse(FORM("policy", "p", "Signature", "s"), &auth), ERR_INVALID_ARGUMENT,
		"no key id");
	OK(strcmp(why.ec, "0002-00000706") == 0, "its EC");
	OK(strcmp(why.argument_name, "OSSAccessKeyId") == 0, "its name");
	IS(why.message,
		S("The bucket POST must contain the specified 'OSSAccessKeyId'. If it is "
		  "specified, please check the order of the fields"),
		"its message");
	IS_INT(parse(FORM("OSSAccessKeyId", "ak", "policy", "p"), &auth), ERR_INVALID_ARGUMENT,
		"no signature");
	OK(strcmp(why.ec, "0002-00000703") == 0, "its EC");
	IS_INT(parse(FORM("OSSAccessKeyId", "ak", "Signature", "s"), &auth), ERR_INVALID_ARGUMENT,
		"no policy");
	OK(strcmp(why.ec, "0002-00000702") == 0, "its EC");
	IS_INT(parse(FORM("OSSAccessKeyId", "", "policy", "p", "Signature", "s"), &auth),
		ERR_INVALID_ARGUMENT, "an empty key id");
	IS_INT(parse(FORM("policy", ""), &auth), ERR_INVALID_ARGUMENT, "an empty policy alone");
	IS_INT(parse(FORM("x-oss-signature-version", "OSS2", "x-oss-access-key-id", "ak"), &auth),
		ERR_INVALID_ARGUMENT, "V2");
	IS_INT(parse(FORM("OSSAccessKeyId", "ak", "policy", "p", "Signature", "s",
			     "x-oss-security-token", ""),
		       &auth),
		ERR_OK, "an empty token");
	OK(auth.security_token.len == 0, "is none");
}

static void v4(void)
{
	struct form_auth auth;
	static struct sign_key_cache cache;
	IS_INT(parse(FORM("policy", POLICY_V4, "X-OSS-Signature", SIGNATURE_V4,
			     "x-oss-signature-version", "OSS4-HMAC-SHA256", "x-oss-credential",
			     CREDENTIAL, "x-oss-date", "20231216T162057Z"),
		       &auth),
		ERR_OK, "a V4 form");
	IS_INT(auth.scheme, FORM_V4, "is V4");
	IS(auth.access_key_id, S("ak"), "the key id");
	IS_INT(form_auth_verify(&auth, S("sk"), NULL), ERR_OK, "the vector");
	IS_INT(form_auth_verify(&auth, S("sk"), &cache), ERR_OK, "the vector, key derived");
	IS_INT(form_auth_verify(&auth, S("sk"), &cache), ERR_OK, "the vector, key kept");
	IS_INT(form_auth_verify(&auth, S("sK"), &cache), ERR_SIGNATURE_MISMATCH, "another secret");
	IS_INT(form_auth_check_region(&auth, S("cn-hangzhou")), ERR_OK, "its region");
	IS_INT(form_auth_check_region(&auth, S("")), ERR_OK, "any region");
	IS_INT(form_auth_check_region(&auth, S("cn-beijing")), ERR_INVALID_REGION,
		"another region");
	const int64_t t = INT64_C(1702743657000);
	IS_INT(form_auth_check_time(&auth, t - 900000), ERR_OK, "15 minutes ahead");
	IS_INT(form_auth_check_time(&auth, t - 900001), ERR_TIME_TOO_SKEWED, "more");
	IS_INT(form_auth_check_time(&auth, t + 604800000), ERR_OK, "a week later");
	IS_INT(form_auth_check_time(&auth, t + 604800001), ERR_REQUEST_EXPIRED, "more");

	SCOPED_STRBUF(out, 128);
	form_sign_v4(S(POLICY_V4), &auth.credential, S("sk"), NULL, &out);
	IS(strbuf_slice(&out), S(SIGNATURE_V4), "signing");
	auth.signature = S("15FA045D8A3235DA0ACE0CB9FDA54577D87513FB689CAB3B02AE7C4B7FED0C5A");
	IS_INT(form_auth_verify(&auth, S("sk"), NULL), ERR_SIGNATURE_MISMATCH, "upper-case digits");
}

static void v4_refusals(void)
{
	static const char *const whole[] = {"policy", "p", "x-oss-signature", "00", "x-oss-date",
		"20231216T162057Z", "x-oss-credential", CREDENTIAL};
	struct form_auth auth;
	for (size_t left_out = 0; left_out < ARRAY_LEN(whole); left_out += 2) {
		struct form form = FORM("x-oss-signature-version", "OSS4-HMAC-SHA256");
		for (size_t i = 0; i < ARRAY_LEN(whole); i += 2)
			if (i != left_out)
				form_add(&form, slice_str(whole[i]), slice_str(whole[i + 1]));
		IS_INT(parse(form, &auth), ERR_INVALID_ARGUMENT, whole[left_out]);
		OK(strcmp(why.argument_name, whole[left_out]) == 0, "is named");
	}
	static const char *const bad[][2] = {
		{"20231216T162057", CREDENTIAL},
		{"Sat, 16 Dec 2023 16:20:57 GMT", CREDENTIAL},
		{"20231217T000000Z", CREDENTIAL},
		{"20231216T162057Z", "ak/20231216/oss/aliyun_v4_request"},
		{"20231216T162057Z", "ak/20231216/cn-hangzhou/s3/aliyun_v4_request"},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		OK(parse(FORM("x-oss-signature-version", "OSS4-HMAC-SHA256", "policy", "p",
				 "x-oss-signature", "00", "x-oss-date", bad[i][0],
				 "x-oss-credential", bad[i][1]),
			   &auth) == ERR_INVALID_ARGUMENT,
			"[%s] [%s]", bad[i][0], bad[i][1]);
		OK(why.message.len > 0 && why.argument_value.len > 0, "says what it is");
	}
}

int main(void)
{
	v1();
	v1_refusals();
	v4();
	v4_refusals();
	return tap_done();
}
