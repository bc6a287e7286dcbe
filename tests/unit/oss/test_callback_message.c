/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callback templates and messages: syntax, every variable in both kinds of body, the bodies that
 * Alibaba signed (spec: callback section 9), and values that try to break out.
 */
#include "oss/callback/callback_message.h"

#include "base/limits.h"
#include "tap.h"

static struct slice custom(void *ctx, struct slice name)
{
	(void)ctx;
	if (slice_eq(name, S("x:a")))
		return S("a&b=\"c\"");
	if (slice_eq(name, S("x:\xe4\xb8\xad")))
		return S("\xe6\x96\x87");
	return S("");
}

static const struct callback_values values = {
	.bucket = SLICE_LIT("uploads"),
	.object = SLICE_LIT("dir/a b.png"),
	.etag = SLICE_LIT("D41D8CD98F00B204E9800998ECF8427E"),
	.size = 18446744073709551615u,
	.mime_type = SLICE_LIT("image/png"),
	.image_width = 266,
	.image_height = 523,
	.image_format = SLICE_LIT("png"),
	.crc64 = 11051210869376104954u,
	.content_md5 = SLICE_LIT("1B2M2Y8AsgTpgAmY7PhCfg=="),
	.vpc_id = SLICE_LIT("vpc-1"),
	.client_ip = SLICE_LIT("::1"),
	.request_id = SLICE_LIT("5C3D9175B6FC201293AD4890"),
	.operation = SLICE_LIT("PostObject"),
	.custom = custom,
};

static void renders(const char *text, enum callback_body_type type, const struct callback_values *v,
	const char *want)
{
	struct callback_template t;
	SCOPED_STRBUF(out, LIMIT_CALLBACK_BODY_BYTES);
	SCOPED_STRBUF(reason, 1000);
	if (!OK(callback_template_parse(slice_str(text), &t, &reason) == ERR_OK &&
			    callback_message_render(&t, type, v, &out) == ERR_OK,
		    "renders %s", text))
		return;
	IS(strbuf_slice(&out), slice_str(want), "to this");
}

static void variables(void)
{
	static const struct {
		const char *name, *form, *json;
	} rows[] = {
		{"bucket", "uploads", "\"uploads\""},
		{"object", "dir%2Fa%20b.png", "\"dir/a b.png\""},
		{"etag", "D41D8CD98F00B204E9800998ECF8427E",
			"\"D41D8CD98F00B204E9800998ECF8427E\""},
		{"size", "18446744073709551615", "18446744073709551615"},
		{"mimeType", "image%2Fpng", "\"image/png\""},
		{"imageInfo.height", "523", "523"},
		{"imageInfo.width", "266", "266"},
		{"imageInfo.format", "png", "\"png\""},
		{"crc64", "11051210869376104954", "\"11051210869376104954\""},
		{"contentMd5", "1B2M2Y8AsgTpgAmY7PhCfg%3D%3D", "\"1B2M2Y8AsgTpgAmY7PhCfg==\""},
		{"vpcId", "vpc-1", "\"vpc-1\""},
		{"clientIp", "%3A%3A1", "\"::1\""},
		{"reqId", "5C3D9175B6FC201293AD4890", "\"5C3D9175B6FC201293AD4890\""},
		{"operation", "PostObject", "\"PostObject\""},
		{"x:a", "a%26b%3D%22c%22", "\"a&b=\\\"c\\\"\""},
		{"x:\xe4\xb8\xad", "%E6%96%87", "\"\xe6\x96\x87\""},
		{"x:none", "", "\"\""},
		{"x:", "", "\"\""},
		{"unknown", "", "\"\""},
		{"Object", "", "\"\""},
		{" object", "", "\"\""},
		{"imageInfo", "", "\"\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SCOPED_STRBUF(text, 100);
		SCOPED_STRBUF(form, 100);
		SCOPED_STRBUF(json, 100);
		strbuf_addf(&text, "a=${%s}&b", rows[i].name);
		strbuf_addf(&form, "a=%s&b", rows[i].form);
		strbuf_addf(&json, "a=%s&b", rows[i].json);
		renders(text.ptr, CALLBACK_FORM, &values, form.ptr);
		renders(text.ptr, CALLBACK_JSON, &values, json.ptr);
	}
}

static void absent_values(void)
{
	static const struct callback_values none = {.size = 0};
	renders("${object}|${size}|${imageInfo.height}|${imageInfo.width}|${imageInfo.format}|${x:"
		"a}",
		CALLBACK_FORM, &none, "|0||||");
	renders("[${object},${size},${imageInfo.height},${imageInfo.width},${x:a}]", CALLBACK_JSON,
		&none, "[\"\",0,,,\"\"]");
}

static void syntax(void)
{
	renders("plain $ and $$ and $5 {a} }", CALLBACK_FORM, &values,
		"plain $ and $$ and $5 {a} }");
	renders("$${size}${size}$", CALLBACK_FORM, &values,
		"$1844674407370955161518446744073709551615$");
	static const char *const bad[] = {"$(object)", "a=$(object)&b", "$$(", "${", "${object",
		"a${object&b=c", "${}", "a${}b", "${${object}}", "${a{b}", "${a$b}", "${a\nb}",
		"${a\x7f}", "${object}${", "${object}$("};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct callback_template t;
		SCOPED_STRBUF(reason, 1000);
		OK(callback_template_parse(slice_str(bad[i]), &t, &reason) ==
					ERR_CALLBACK_BAD_TEMPLATE &&
				reason.len,
			"refuses %s: %s", bad[i], reason.ptr);
	}
	struct callback_template t;
	SCOPED_STRBUF(reason, 1000);
	OK(callback_template_parse(S("${size}${imageInfo.width}"), &t, &reason) == ERR_OK &&
			callback_template_uses(&t, CALLBACK_SIZE) &&
			!callback_template_uses(&t, CALLBACK_CONTENT_MD5) &&
			callback_template_uses_image(&t),
		"which variables are used");
	OK(callback_template_parse(S("imageInfo.width ${contentMd5}"), &t, &reason) == ERR_OK &&
			!callback_template_uses_image(&t) &&
			callback_template_uses(&t, CALLBACK_CONTENT_MD5),
		"and which are not");
	OK(callback_template_parse(S("${x:}${X:a}"), &t, &reason) == ERR_OK &&
			t.uses == 1u << CALLBACK_UNKNOWN,
		"x: without a name, and X:, are unknown");
}

/* The messages whose signatures by Alibaba are in test_callback_sign.c. */
static void signed_bodies(void)
{
	struct callback_values v = {.object = SLICE_LIT(".snappython.png"),
		.size = 6014,
		.mime_type = SLICE_LIT("image/png"),
		.image_height = 221,
		.image_width = 396};
	const char *form = "filename=${object}&size=${size}&mimeType=${mimeType}"
			   "&height=${imageInfo.height}&width=${imageInfo.width}";
	renders(form, CALLBACK_FORM, &v,
		"filename=.snappython.png&size=6014&mimeType=image%2Fpng&height=221&width=396");
	v = (struct callback_values){
		.object = S("1/1_hFRtDLgM_2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg"),
		.size = 114020,
		.image_width = 810,
		.image_height = 539};
	renders("{\"name\":\"2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg\",\"source_name\":${"
		"object},"
		"\"size\":${size},\"pic_info\":\"${imageInfo.width},${imageInfo.height}\"}",
		CALLBACK_JSON, &v,
		"{\"name\":\"2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg\",\"source_name\":"
		"\"1/1_hFRtDLgM_2f7b2ccf30e9270ea920f1ab8a4037a546a2f0d5.jpg\",\"size\":114020,"
		"\"pic_info\":\"810,539\"}");
	v = (struct callback_values){
		.object = S("test/caipu/5/a/2/5aa308723660421a560fcc062d745502.jpg"),
		.size = 10606,
		.mime_type = S("image/jpeg"),
		.image_height = 400,
		.image_width = 650};
	renders(form, CALLBACK_FORM, &v,
		"filename=test%2Fcaipu%2F5%2Fa%2F2%2F5aa308723660421a560fcc062d745502.jpg&size="
		"10606"
		"&mimeType=image%2Fjpeg&height=400&width=650");
	v = (struct callback_values){.object = S("headSculpture/jikang2.jpg"),
		.size = 108904,
		.mime_type = S("image/jpeg"),
		.image_height = 278,
		.image_width = 200};
	renders(form, CALLBACK_FORM, &v,
		"filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278"
		"&width=200");
	v = (struct callback_values){.object = S("local/var/www/zhuye.png"),
		.size = 5385,
		.mime_type = S("application/octet-stream"),
		.image_height = 256,
		.image_width = 256};
	renders(form, CALLBACK_JSON, &v,
		"filename=\"local/var/www/zhuye.png\"&size=5385&mimeType=\"application/"
		"octet-stream\""
		"&height=256&width=256");
}

static void hostile_names(void)
{
	static const struct {
		struct slice name;
		const char *form, *json;
	} rows[] = {
		{SLICE_LIT("a&role=admin"), "a%26role%3Dadmin", "\"a&role=admin\""},
		{SLICE_LIT("a+b%20c"), "a%2Bb%2520c", "\"a+b%20c\""},
		{SLICE_LIT("\",\"role\":\"admin"), "%22%2C%22role%22%3A%22admin",
			"\"\\\",\\\"role\\\":\\\"admin\""},
		{SLICE_LIT("a\\"), "a%5C", "\"a\\\\\""},
		{SLICE_LIT("a\r\n\t\x1f\x7f"), "a%0D%0A%09%1F%7F",
			"\"a\\u000d\\u000a\\u0009\\u001f\\u007f\""},
		{SLICE_LIT("a\0b"), "a%00b", "\"a\\u0000b\""},
		{SLICE_LIT("\xff\xe4\xb8\xad\xe4\xb8"), "%FF%E4%B8%AD%E4%B8",
			"\"\xef\xbf\xbd\xe4\xb8\xad\xef\xbf\xbd\xef\xbf\xbd\""},
		{SLICE_LIT("${size}"), "%24%7Bsize%7D", "\"${size}\""},
		{SLICE_LIT("\xf0\x9f\x98\x80"), "%F0%9F%98%80", "\"\xf0\x9f\x98\x80\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct callback_values v = {.object = rows[i].name};
		renders("${object}", CALLBACK_FORM, &v, rows[i].form);
		renders("${object}", CALLBACK_JSON, &v, rows[i].json);
	}
}

static void limits(void)
{
	struct callback_template t;
	SCOPED_STRBUF(out, 10);
	SCOPED_STRBUF(reason, 1000);
	const struct callback_values v = {.object = SLICE_LIT("0123456789")};
	IS_INT(callback_template_parse(S("${object}"), &t, &reason), ERR_OK, "a template");
	IS_INT(callback_message_render(&t, CALLBACK_FORM, &v, &out), ERR_OK, "that just fits");
	strbuf_clear(&out);
	IS_INT(callback_message_render(&t, CALLBACK_JSON, &v, &out), ERR_CALLBACK_TOO_LONG,
		"or does not");
	IS(slice_str(callback_content_type(CALLBACK_FORM)), S("application/x-www-form-urlencoded"),
		"the type of forms");
	IS(slice_str(callback_content_type(CALLBACK_JSON)), S("application/json"), "and of JSON");
}

int main(void)
{
	variables();
	absent_values();
	syntax();
	signed_bodies();
	hostile_names();
	limits();
	return tap_done();
}
