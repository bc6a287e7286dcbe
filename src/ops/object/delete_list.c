/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/object/delete_list.h"

#include "ops/arguments/version.h"
#include "oss/names.h"
#include "oss/text/xml.h"

static enum err read_quiet(void *ctx, struct slice text, struct strbuf *reason)
{
	struct delete_list *list = ctx;
	list->quiet = slice_eq(xml_trim(text), S("true"));
	if (list->quiet || slice_eq(xml_trim(text), S("false")))
		return ERR_OK;
	strbuf_adds(reason, "Quiet must be true or false.");
	return ERR_MALFORMED_XML;
}

static enum err object_opens(void *ctx, struct strbuf *reason)
{
	struct delete_list *list = ctx;
	list->has_key = false;
	list->has_version = false;
	list->version = (struct store_version){.number = 0};
	if (list->count < DELETE_LIST_MAX)
		return ERR_OK;
	strbuf_adds(reason, "There are more than 1000 objects.");
	return ERR_MALFORMED_XML;
}

static enum err read_key(void *ctx, struct slice text, struct strbuf *reason)
{
	struct delete_list *list = ctx;
	struct object_key key;
	if (list->has_key) {
		strbuf_adds(reason, "An Object has two keys.");
		return ERR_MALFORMED_XML;
	}
	enum err e = object_key_parse(text, &key);
	if (e != ERR_OK)
		return e;
	strbuf_add_slice(&list->keys, key.text);
	list->ends[list->count++] = list->keys.len;
	list->has_key = true;
	return strbuf_broken(&list->keys) ? ERR_UNAVAILABLE : ERR_OK;
}

static enum err read_version(void *ctx, struct slice text, struct strbuf *reason)
{
	struct delete_list *list = ctx;
	struct slice id = xml_trim(text);
	if (list->has_version || id.len == 0) {
		/* OSS refuses an empty one too (EC 0016-00000612). */
		strbuf_adds(reason, "An Object has an empty VersionId, or two of them.");
		return ERR_MALFORMED_XML;
	}
	list->has_version = true;
	if (version_parse(id, &list->version))
		return ERR_OK;
	strbuf_adds(reason, "Invalid version id specified.");
	return ERR_INVALID_ARGUMENT;
}

static enum err object_closes(void *ctx, struct strbuf *reason)
{
	struct delete_list *list = ctx;
	if (!list->has_key) {
		strbuf_adds(reason, "An Object has no Key.");
		return ERR_MALFORMED_XML;
	}
	list->versions[list->count - 1] = list->version;
	return ERR_OK;
}

enum err delete_list_read(struct delete_list *list, struct slice document, struct strbuf *reason)
{
	static const struct xml_element elements[] = {
		{.path = "/Delete"},
		{.path = "/Delete/Quiet", .text = read_quiet},
		{.path = "/Delete/Object", .open = object_opens, .close = object_closes},
		{.path = "/Delete/Object/Key", .text = read_key},
		{.path = "/Delete/Object/VersionId", .text = read_version},
	};
	enum err e = xml_read(document, elements, ARRAY_LEN(elements), list, reason);
	if (e == ERR_OK && list->count == 0) {
		strbuf_adds(reason, "There is no Object.");
		e = ERR_MALFORMED_XML;
	}
	return e;
}

struct slice delete_list_key(const struct delete_list *list, size_t i)
{
	size_t from = i ? list->ends[i - 1] : 0;
	return slice_of(list->keys.ptr + from, list->ends[i] - from);
}

bool delete_list_names_version(const struct delete_list *list, size_t i)
{
	return list->versions[i].is_null || list->versions[i].number;
}
