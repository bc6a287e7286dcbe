/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/sign/sign_v1.h"

#include <inttypes.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hmac.h"
#include "oss/sign/sign_internal.h"

/*
 * The union of what the SDKs sign (spec: signatures section 1.1), and all else that chooses an
 * operation (ops/dispatch/route.c), so that no signed URL can be turned into another one by adding
 * to it. The exceptions are listed there. Sorted by bytes.
 */
static const struct slice subresources[] = {
	SLICE_LIT("accessPoint"),
	SLICE_LIT("accessPointForObjectProcess"),
	SLICE_LIT("accessPointPolicy"),
	SLICE_LIT("acl"),
	SLICE_LIT("append"),
	SLICE_LIT("asyncFetch"),
	SLICE_LIT("bucketArchiveDirectRead"),
	SLICE_LIT("bucketInfo"),
	SLICE_LIT("callback"),
	SLICE_LIT("callback-var"),
	SLICE_LIT("cleanRestoredObject"),
	SLICE_LIT("cloudboxes"),
	SLICE_LIT("cname"),
	SLICE_LIT("comp"),
	SLICE_LIT("continuation-token"),
	SLICE_LIT("cors"),
	SLICE_LIT("delete"),
	SLICE_LIT("encryption"),
	SLICE_LIT("endTime"),
	SLICE_LIT("group"),
	SLICE_LIT("httpsConfig"),
	SLICE_LIT("img"),
	SLICE_LIT("inventory"),
	SLICE_LIT("inventoryId"),
	SLICE_LIT("legalHold"),
	SLICE_LIT("lifecycle"),
	SLICE_LIT("link"),
	SLICE_LIT("live"),
	SLICE_LIT("location"),
	SLICE_LIT("logging"),
	SLICE_LIT("metaQuery"),
	SLICE_LIT("metadataConfiguration"),
	SLICE_LIT("objectInfo"),
	SLICE_LIT("objectMeta"),
	SLICE_LIT("objectWorm"),
	SLICE_LIT("overwriteConfig"),
	SLICE_LIT("partNumber"),
	SLICE_LIT("policy"),
	SLICE_LIT("policyStatus"),
	SLICE_LIT("position"),
	SLICE_LIT("processConfiguration"),
	SLICE_LIT("publicAccessBlock"),
	SLICE_LIT("qos"),
	SLICE_LIT("qosInfo"),
	SLICE_LIT("qosRequester"),
	SLICE_LIT("quota"),
	SLICE_LIT("redundancyTransition"),
	SLICE_LIT("referer"),
	SLICE_LIT("regionList"),
	SLICE_LIT("regions"),
	SLICE_LIT("replication"),
	SLICE_LIT("replicationLocation"),
	SLICE_LIT("replicationProgress"),
	SLICE_LIT("requestPayment"),
	SLICE_LIT("requesterQosInfo"),
	SLICE_LIT("resourceGroup"),
	SLICE_LIT("resourcePool"),
	SLICE_LIT("resourcePoolBuckets"),
	SLICE_LIT("resourcePoolInfo"),
	SLICE_LIT("response-cache-control"),
	SLICE_LIT("response-content-disposition"),
	SLICE_LIT("response-content-encoding"),
	SLICE_LIT("response-content-language"),
	SLICE_LIT("response-content-type"),
	SLICE_LIT("response-expires"),
	SLICE_LIT("responseHeader"),
	SLICE_LIT("restore"),
	SLICE_LIT("retention"),
	SLICE_LIT("rtc"),
	SLICE_LIT("seal"),
	SLICE_LIT("security-token"),
	SLICE_LIT("sequential"),
	SLICE_LIT("startTime"),
	SLICE_LIT("stat"),
	SLICE_LIT("status"),
	SLICE_LIT("style"),
	SLICE_LIT("styleName"),
	SLICE_LIT("symlink"),
	SLICE_LIT("tagging"),
	SLICE_LIT("transferAcceleration"),
	SLICE_LIT("udf"),
	SLICE_LIT("udfApplication"),
	SLICE_LIT("udfApplicationLog"),
	SLICE_LIT("udfId"),
	SLICE_LIT("udfImage"),
	SLICE_LIT("udfImageDesc"),
	SLICE_LIT("udfName"),
	SLICE_LIT("uploadId"),
	SLICE_LIT("uploads"),
	SLICE_LIT("userDefinedLogFieldsConfig"),
	SLICE_LIT("versionId"),
	SLICE_LIT("versioning"),
	SLICE_LIT("versions"),
	SLICE_LIT("vip"),
	SLICE_LIT("vod"),
	SLICE_LIT("vpcip"),
	SLICE_LIT("website"),
	SLICE_LIT("withHashContext"),
	SLICE_LIT("worm"),
	SLICE_LIT("wormExtend"),
	SLICE_LIT("wormId"),
};

static int cmp_slice(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

bool sign_v1_is_subresource(struct slice name)
{
	return slice_starts(name, S("x-oss-")) ||
	       bsearch(&name, subresources, ARRAY_LEN(subresources), sizeof(subresources[0]),
		       cmp_slice) != NULL;
}

static bool wants_oss(const struct sign_choice *choice UNUSED, struct slice name)
{
	return sign_is_oss_name(name);
}

/* A signed name stands once in a request: whoever asks has seen to that. */
static int cmp_param(const void *a, const void *b)
{
	const struct query_param *const *x = a;
	const struct query_param *const *y = b;
	return slice_cmp((*x)->name, (*y)->name);
}

static bool add_subresources(const struct query *query, struct arena *arena, struct strbuf *out)
{
	size_t count = 0;
	if (query->count == 0)
		return true;
	const struct query_param **chosen = arena_alloc(arena, query->count * sizeof(*chosen));
	if (!chosen)
		return false;
	for (size_t i = 0; i < query->count; i++)
		if (sign_v1_is_subresource(query->params[i].name))
			chosen[count++] = &query->params[i];
	qsort(chosen, count, sizeof(*chosen), cmp_param);
	for (size_t i = 0; i < count; i++) {
		strbuf_addc(out, i ? '&' : '?');
		strbuf_add_slice(out, chosen[i]->name);
		if (chosen[i]->value.len == 0)
			continue;
		strbuf_addc(out, '=');
		strbuf_add_slice(out, chosen[i]->value);
	}
	return !strbuf_broken(out);
}

/* Whether `text` begins with what V1 could have written for a signed parameter. */
static bool begins_with_param(struct slice text)
{
	size_t len = 0;
	while (len < text.len && !strchr("=&?", text.ptr[len]))
		len++;
	return sign_v1_is_subresource(slice_head(text, len));
}

/* Whether a signed parameter could begin behind a `delimiter` in `text`. */
static bool holds_param(struct slice text, char delimiter)
{
	struct slice before;
	while (slice_cut(&text, delimiter, &before))
		if (begins_with_param(text))
			return true;
	return false;
}

/* Not at the front: Debian's Go SDK writes "key??objectMeta", and nothing of that is signed. */
static bool has_delimiter(struct slice name)
{
	while (slice_starts(name, S("?")))
		name = slice_from(name, 1);
	return slice_find(name, '=') < name.len || slice_find(name, '&') < name.len ||
	       slice_find(name, '?') < name.len;
}

bool sign_v1_ambiguous(const struct sign_request *r)
{
	if (holds_param(r->key, '?'))
		return true;
	for (size_t i = 0; i < r->query.count; i++) {
		const struct query_param *param = &r->query.params[i];
		if (has_delimiter(param->name) ||
			(sign_v1_is_subresource(param->name) && holds_param(param->value, '&')))
			return true;
	}
	return false;
}

bool sign_v1_text(const struct sign_request *r, struct slice date, struct strbuf *out)
{
	static const struct sign_choice choice = {.wants = wants_oss};
	char first[4096];
	struct arena arena;
	arena_init(&arena, first, sizeof(first), LIMIT_REQUEST_ARENA_BYTES);

	strbuf_add_slice(out, r->method);
	strbuf_addc(out, '\n');
	strbuf_add_slice(out, slice_trim(sign_header_value(r, S("content-md5"))));
	strbuf_addc(out, '\n');
	strbuf_add_slice(out, slice_trim(sign_header_value(r, S("content-type"))));
	strbuf_addc(out, '\n');
	strbuf_add_slice(out, date);
	strbuf_addc(out, '\n');
	bool ok = sign_add_headers(r, &choice, &arena, out);
	sign_add_resource(r, out);
	ok = ok && add_subresources(&r->query, &arena, out);
	arena_reset(&arena);
	return ok;
}

void sign_v1_signature(struct slice secret, struct slice text, struct strbuf *out)
{
	uint8_t mac[SHA1_BYTES];
	hmac_sha1_of(secret, text, mac);
	base64_encode(out, slice_of(mac, sizeof(mac)));
}

bool sign_v1_header(const struct sign_request *r, struct slice access_key_id, struct slice secret,
	struct strbuf *out)
{
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	struct slice date = sign_header_value(r, S("x-oss-date"));
	if (date.len == 0)
		date = sign_header_value(r, S("date"));
	if (!sign_v1_text(r, slice_trim(date), &text))
		return false;
	strbuf_adds(out, "OSS ");
	strbuf_add_slice(out, access_key_id);
	strbuf_addc(out, ':');
	sign_v1_signature(secret, strbuf_slice(&text), out);
	return !strbuf_broken(out);
}

bool sign_v1_url(const struct sign_request *r, struct slice access_key_id, struct slice secret,
	int64_t expires_ms, struct strbuf *out)
{
	SCOPED_STRBUF(text, SIGN_TEXT_BYTES);
	SCOPED_STRBUF(expires, 24);
	SCOPED_STRBUF(signature, 32);
	strbuf_addf(&expires, "%" PRId64, expires_ms / 1000);
	if (!sign_v1_text(r, strbuf_slice(&expires), &text))
		return false;
	sign_v1_signature(secret, strbuf_slice(&text), &signature);
	if (strbuf_broken(&expires) || strbuf_broken(&signature))
		return false;
	strbuf_add_slice(out, r->query.text);
	strbuf_adds(out, r->query.text.len > 0 ? "&OSSAccessKeyId=" : "OSSAccessKeyId=");
	percent_encode(out, access_key_id);
	strbuf_adds(out, "&Expires=");
	strbuf_add_slice(out, strbuf_slice(&expires));
	strbuf_adds(out, "&Signature=");
	percent_encode(out, strbuf_slice(&signature));
	return !strbuf_broken(out);
}
