/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of DeleteMultipleObjects. What was read can be written, and is then read as the
 * same: so nothing is deleted but what the document names.
 */
#include <assert.h>

#include "ops/arguments/version.h"
#include "ops/object/delete_list.h"
#include "oss/text/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static enum err read_list(struct delete_list *list, struct slice document)
{
	SCOPED_STRBUF(reason, 512);
	*list = (struct delete_list){.count = 0};
	strbuf_init(&list->keys, DELETE_LIST_KEYS_BYTES);
	enum err e = delete_list_read(list, document, &reason);
	assert(e != ERR_MALFORMED_XML || reason.len > 0);
	assert(list->count <= DELETE_LIST_MAX);
	return e;
}

static void write_list(const struct delete_list *list, struct strbuf *out)
{
	xml_open(out, "Delete");
	xml_element(out, "Quiet", list->quiet ? S("true") : S("false"));
	for (size_t i = 0; i < list->count; i++) {
		const struct store_version *version = &list->versions[i];
		xml_open(out, "Object");
		xml_element_exact(out, "Key", delete_list_key(list, i));
		if (delete_list_names_version(list, i)) {
			xml_open(out, "VersionId");
			version_add_id(out, version->is_null, version->number);
			xml_close(out, "VersionId");
		}
		xml_close(out, "Object");
	}
	xml_close(out, "Delete");
}

static void check(const struct delete_list *list)
{
	static struct delete_list same;
	SCOPED_STRBUF(xml, 16 << 20);
	assert(list->count > 0);
	write_list(list, &xml);
	enum err e = read_list(&same, strbuf_slice(&xml));
	assert(e == ERR_OK && same.quiet == list->quiet && same.count == list->count);
	for (size_t i = 0; i < list->count; i++) {
		assert(delete_list_key(list, i).len > 0);
		assert(slice_eq(delete_list_key(&same, i), delete_list_key(list, i)));
		assert(same.versions[i].is_null == list->versions[i].is_null);
		assert(same.versions[i].number == list->versions[i].number);
	}
	strbuf_release(&same.keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct delete_list list;
	if (len > LIMIT_XML_BODY_BYTES)
		return 0;
	if (read_list(&list, slice_of(bytes, len)) == ERR_OK)
		check(&list);
	strbuf_release(&list.keys);
	return 0;
}
