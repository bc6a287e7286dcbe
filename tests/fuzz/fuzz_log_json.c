/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte, and lines of the log as JSON: as many lines, each of which is one object whose members
 * have different names, whatever bytes come. What is UTF-8 is not changed: the message is the end
 * of its line. With the byte as ceiling the text is broken, or the same.
 */
#include <assert.h>
#include <jansson.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/log_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct slice text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	assert(json_is_string(value));
	return slice_of(json_string_value(value), json_string_length(value));
}

static void check_texts(const json_t *object, struct slice line)
{
	struct slice time, level;
	(void)slice_cut(&line, ' ', &time);
	(void)slice_cut(&line, ' ', &level);
	assert(slice_eq(text_of(object, "time"), time));
	assert(slice_eq(text_of(object, "level"), level));
	if (json_object_get(object, "message"))
		assert(slice_ends(line, text_of(object, "message")));
	else
		assert(json_object_size(object) > 2 || line.len == 0);
}

static void check_line(struct slice json, struct slice line)
{
	json_error_t error;
	/* A number of 64 bits without a sign is one that jansson has not. */
	json_t *object = json_loadb(json.ptr, json.len,
		JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	assert(json_is_object(object));
	(void)text_of(object, "time");
	(void)text_of(object, "level");
	if (utf8_valid(line))
		check_texts(object, line);
	for (size_t i = 0; i < json.len; i++)
		assert((unsigned char)json.ptr[i] >= ' ');
	json_decref(object);
}

static void check_ceiling(struct slice lines, size_t ceiling, struct slice whole)
{
	SCOPED_STRBUF(out, ceiling);
	log_json_add(&out, lines);
	assert(strbuf_broken(&out) ? out.len <= ceiling : slice_eq(strbuf_slice(&out), whole));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	struct slice lines = slice_of(bytes + 1, len - 1), line, json;
	SCOPED_STRBUF(out, MIB(16));
	log_json_add(&out, lines);
	assert(!strbuf_broken(&out));
	check_ceiling(lines, bytes[0], strbuf_slice(&out));
	struct slice rest = strbuf_slice(&out);
	while (lines.len > 0) {
		(void)slice_cut(&lines, '\n', &line);
		assert(slice_cut(&rest, '\n', &json));
		check_line(json, line);
	}
	assert(rest.len == 0);
	return 0;
}
