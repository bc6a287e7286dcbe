/* SPDX-License-Identifier: Apache-2.0 */
/* What both versions of signatures take from a request. */
#include "oss/sign/sign_internal.h"

const struct http_header *sign_header_find(const struct sign_request *r, struct slice name)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (slice_eq_nocase(r->headers[i].name, name))
			return &r->headers[i];
	return NULL;
}

struct slice sign_header_value(const struct sign_request *r, struct slice name)
{
	const struct http_header *header = sign_header_find(r, name);
	return header ? header->value : (struct slice){NULL, 0};
}

bool sign_is_oss_name(struct slice name)
{
	return slice_eq_nocase(slice_head(name, 6), S("x-oss-"));
}

struct line {
	struct slice name; /* lower-case */
	const struct http_header *header;
};

/* By name; among the same names in the order of the request. */
static int line_cmp(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = slice_cmp(x->name, y->name);
	if (order == 0)
		order = (x->header > y->header) - (x->header < y->header);
	return order;
}

static bool lower(struct slice name, struct arena *arena, struct slice *ret)
{
	char *text = arena_alloc(arena, name.len + 1);
	if (!text)
		return false;
	for (size_t i = 0; i < name.len; i++)
		text[i] = ascii_lower(name.ptr[i]);
	*ret = slice_of(text, name.len);
	return true;
}

bool sign_add_headers(const struct sign_request *r, const struct sign_choice *choice,
	struct arena *arena, struct strbuf *out)
{
	struct line *lines = arena_alloc(arena, (r->header_count + 1) * sizeof(*lines));
	size_t count = 0;
	if (!lines)
		return false;
	for (size_t i = 0; i < r->header_count; i++) {
		if (!choice->wants(choice, r->headers[i].name))
			continue;
		if (!lower(r->headers[i].name, arena, &lines[count].name))
			return false;
		lines[count++].header = &r->headers[i];
	}
	qsort(lines, count, sizeof(*lines), line_cmp);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && slice_eq(lines[i].name, lines[i - 1].name)) {
			strbuf_addc(out, ',');
		} else {
			if (i > 0)
				strbuf_addc(out, '\n');
			strbuf_add_slice(out, lines[i].name);
			strbuf_addc(out, ':');
		}
		strbuf_add_slice(out, slice_trim(lines[i].header->value));
	}
	if (count > 0)
		strbuf_addc(out, '\n');
	return !strbuf_broken(out);
}

void sign_add_resource(const struct sign_request *r, struct strbuf *out)
{
	if (r->path.len > 0) {
		strbuf_add_slice(out, r->path);
		return;
	}
	strbuf_addc(out, '/');
	if (r->bucket.len == 0)
		return;
	strbuf_add_slice(out, r->bucket);
	if (r->key.len == 0 && r->bare_bucket)
		return;
	strbuf_addc(out, '/');
	strbuf_add_slice(out, r->key);
}
