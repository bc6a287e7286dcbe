/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/arguments/elements.h"

#include "base/encode.h"
#include "ops/ops_internal.h"
#include "oss/acl.h"
#include "oss/text/iso8601.h"
#include "oss/text/xml.h"

struct slice elements_region(const struct request *r)
{
	struct slice region = r->ops->options.region;
	return region.len ? region : S("cn-hangzhou");
}

void elements_add_owner(struct strbuf *out)
{
	strbuf_adds(out, "<Owner><ID>postern</ID><DisplayName>postern</DisplayName></Owner>");
}

void elements_add_acl(struct strbuf *out, enum store_acl acl)
{
	strbuf_adds(out, XML_PROLOG "<AccessControlPolicy>");
	elements_add_owner(out);
	xml_open(out, "AccessControlList");
	xml_element(out, "Grant", slice_str(acl_word((enum acl)acl)));
	strbuf_adds(out, "</AccessControlList></AccessControlPolicy>\n");
}

void elements_add_location(struct strbuf *out, const struct request *r)
{
	strbuf_adds(out, "oss-");
	xml_escape(out, elements_region(r));
}

/* The host of the request, without the bucket if that is a part of it. */
static struct slice endpoint_of(const struct request *r)
{
	struct slice host = r->head->host;
	struct slice bucket;
	if (r->address.has_bucket && r->address.style == ADDRESS_HOST)
		(void)slice_cut(&host, '.', &bucket);
	return slice_starts(host, S(".")) ? slice_from(host, 1) : host;
}

struct slice elements_storage_class(const struct store_bucket *bucket)
{
	struct slice class = bucket->settings[STORE_SETTING_STORAGE_CLASS];
	return class.len ? class : S("Standard");
}

void elements_add_bucket(
	struct strbuf *out, const struct request *r, const struct store_bucket *bucket)
{
	struct slice endpoint = endpoint_of(r);
	xml_element(out, "Name", bucket->name);
	xml_open(out, "Location");
	elements_add_location(out, r);
	xml_close(out, "Location");
	xml_element(out, "Region", elements_region(r));
	xml_open(out, "CreationDate");
	iso8601_add(out, bucket->created_ms);
	xml_close(out, "CreationDate");
	xml_element(out, "ExtranetEndpoint", endpoint);
	xml_element(out, "IntranetEndpoint", endpoint);
	xml_element(out, "StorageClass", elements_storage_class(bucket));
}

void elements_add_url(struct strbuf *out, const struct request *r)
{
	strbuf_adds(out, request_is_tls(r) ? "https://" : "http://");
	strbuf_add_slice(out, r->head->host);
	strbuf_addc(out, '/');
	if (r->address.style == ADDRESS_PATH) {
		strbuf_add_slice(out, r->address.bucket.text);
		strbuf_addc(out, '/');
	}
	percent_encode_path(out, r->address.key.text);
}

/*
 * Control characters of a name are sent as they are, as OSS does: strict readers choke on them, but
 * what the others read can be fetched. Clients that want neither use encoding-type=url.
 */
void elements_add_name(struct strbuf *out, const char *element, struct slice name, bool encode)
{
	if (!encode) {
		xml_element_exact(out, element, name);
		return;
	}
	xml_open(out, element);
	percent_encode(out, name);
	xml_close(out, element);
}

void elements_add_key(struct strbuf *out, const struct request *r, bool encode)
{
	if (encode)
		elements_add_name(out, "Key", r->address.key.text, true);
	else
		xml_element(out, "Key", r->address.key.text);
}
