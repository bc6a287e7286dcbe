/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials as JSON: what is one, and what is none. */
#include "app/credentials/credential_json.h"

#include "tap.h"

static struct arena arena;
static struct credential_values values;

static const char *parse(const char *json)
{
	return credential_json_parse(slice_str(json), &arena, &values);
}

#define ID "\"AccessKeyId\":\"AKI\""
#define SECRET "\"AccessKeySecret\":\"s\""

static void good(void)
{
	OK(!parse("{" ID "," SECRET "}"), "a pair");
	IS(values.id, S("AKI"), "its id");
	IS(values.secret, S("s"), "its secret");
	OK(values.token.len == 0 && values.expires == CREDENTIALS_FOREVER,
		"has no token and no end");
	OK(!parse("{\"Credentials\":{" ID "," SECRET ",\"SecurityToken\":\"t\","
		  "\"Expiration\":\"1970-01-02T00:00:01Z\"},\"RequestId\":\"r\"}"),
		"an answer of STS");
	IS(values.token, S("t"), "its token");
	IS_INT(values.expires, 86401, "its end");
	OK(!parse("{" ID "," SECRET ",\"Code\":\"Success\",\"SecurityToken\":null,"
		  "\"LastUpdated\":\"x\"}"),
		"an answer of the metadata service");
}

static void bad(void)
{
	static const char *const none[] = {"", "{", "[]", "null", "{}", "{" ID "}", "{" SECRET "}",
		"{" ID "," ID "," SECRET "}", "{\"AccessKeyId\":1," SECRET "}",
		"{\"AccessKeyId\":\"\"," SECRET "}", "{\"AccessKeyId\":\"a\\u0000b\"," SECRET "}",
		"{" ID "," SECRET ",\"Code\":\"Failed\"}", "{\"Credentials\":1," ID "," SECRET "}",
		"{" ID "," SECRET ",\"Expiration\":\"tomorrow\"}",
		"{" ID "," SECRET ",\"Expiration\":5}", "{" ID "," SECRET ",\"SecurityToken\":[]}",
		"{" ID "," SECRET "} x"};
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		OK(parse(none[i]) != NULL, "none: %s", none[i]);
}

static void faults(void)
{
	static const char *const table[][2] = {
		{"{\"Code\":\"NoPermission\",\"Message\":\"no\"}", "NoPermission: no"},
		{"{\"Code\":\"NoPermission\"}", "NoPermission"},
		{"{\"Message\":\"no\"}", "no"},
		{"{\"Code\":1}", ""},
		{"<html>", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		SCOPED_STRBUF(text, KIB(1));
		credential_json_fault(slice_str(table[i][0]), &text);
		IS(strbuf_slice(&text), slice_str(table[i][1]), "what is said");
	}
}

int main(void)
{
	arena_init(&arena, NULL, 0, MIB(1));
	good();
	bad();
	faults();
	arena_reset(&arena);
	return tap_done();
}
