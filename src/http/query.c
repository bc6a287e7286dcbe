/* SPDX-License-Identifier: Apache-2.0 */
#include "http/query.h"

#include "base/encode.h"

bool query_next(struct slice *rest, struct query_param *ret)
{
	while (rest->len > 0) {
		struct slice piece;
		(void)slice_cut(rest, '&', &piece);
		if (piece.len == 0)
			continue;
		ret->value = piece;
		ret->has_value = slice_cut(&ret->value, '=', &ret->name);
		return true;
	}
	return false;
}

static bool decode(struct slice *text, struct arena *arena)
{
	if (text->len == 0)
		*text = S(""); /* there, but empty */
	if (slice_find(*text, '%') == text->len && slice_find(*text, '+') == text->len)
		return true;
	SCOPED_STRBUF(decoded, text->len);
	if (!plus_decode(&decoded, *text))
		return !strbuf_broken(&decoded);
	*text = arena_copy(arena, strbuf_slice(&decoded));
	return text->ptr != NULL;
}

bool query_parse(struct slice text, struct arena *arena, struct query *ret)
{
	struct slice rest = text;
	struct query_param param;
	size_t most = 0, count = 0;
	while (query_next(&rest, &param))
		most++;
	*ret = (struct query){.text = text};
	if (most == 0)
		return true;
	struct query_param *params = arena_alloc(arena, most * sizeof(*params));
	if (!params)
		return false;
	for (rest = text; query_next(&rest, &params[count]); count++)
		if (!decode(&params[count].name, arena) || !decode(&params[count].value, arena))
			return false;
	ret->params = params;
	ret->count = count;
	return true;
}

const struct query_param *query_find(const struct query *query, struct slice name)
{
	for (size_t i = 0; i < query->count; i++)
		if (slice_eq(query->params[i].name, name))
			return &query->params[i];
	return NULL;
}
