/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of a part, and the boundary in the header of the request. */
#include "http/form_internal.h"
#include "http/param.h"
#include "http/syntax.h"

/* What of a part's headers has been seen. */
struct seen {
	bool disposition;
	bool name;
	bool filename;
	bool filename_ext;
};

/* UTF-8'language'percent-encoded (RFC 8187): what is behind the second quote. */
static struct slice extended_text(struct slice value)
{
	struct slice charset, language;
	if (!slice_cut(&value, '\'', &charset) || !slice_cut(&value, '\'', &language) ||
		!slice_eq_nocase(charset, S("UTF-8")))
		return S("");
	return value;
}

/* False if the parameter was there before. */
static bool note_param(const struct param *param, struct form_part *ret, struct seen *seen)
{
	bool again = false;
	if (slice_eq_nocase(param->name, S("name"))) {
		again = seen->name;
		seen->name = true;
		ret->name = param->value;
	} else if (slice_eq_nocase(param->name, S("filename"))) {
		again = seen->filename;
		seen->filename = true;
		ret->filename = param->value;
	} else if (slice_eq_nocase(param->name, S("filename*"))) {
		again = seen->filename_ext;
		seen->filename_ext = true;
		if (!seen->filename)
			ret->filename = extended_text(param->value);
	}
	return !again;
}

/* form-data; name="..."; filename="..." */
static bool parse_disposition(struct slice value, struct form_part *ret, struct seen *seen)
{
	size_t len = syntax_token_len(value);
	if (!slice_eq_nocase(slice_head(value, len), S("form-data")))
		return false;
	value = slice_from(value, len);
	for (;;) {
		struct param param;
		switch (param_next(&value, &param)) {
		case PARAM_NONE:
			ret->has_filename = seen->filename || seen->filename_ext;
			ret->filename_is_encoded = ret->has_filename && !seen->filename;
			return seen->name;
		case PARAM_FOUND:
			if (!note_param(&param, ret, seen))
				return false;
			break;
		case PARAM_BAD:
			return false;
		}
	}
}

/* Sets *field; false if it was set. The value may be empty, but its ptr is not NULL then. */
static bool set_once(struct slice *field, struct slice value)
{
	if (field->ptr)
		return false;
	*field = value.len > 0 ? value : S("");
	return true;
}

/*
 * One header line without its CRLF. Control bytes may stand in a value, because browsers do not
 * escape them in the names of files; CR and NUL may not.
 */
static bool parse_line(struct slice line, struct form_part *ret, struct seen *seen)
{
	size_t len = syntax_token_len(line);
	if (len == 0 || len == line.len || line.ptr[len] != ':')
		return false;
	struct slice name = slice_head(line, len);
	struct slice value = slice_trim(slice_from(line, len + 1));
	if (slice_find(value, '\r') < value.len || slice_find(value, '\0') < value.len)
		return false;
	if (slice_eq_nocase(name, S("Content-Disposition"))) {
		bool again = seen->disposition;
		seen->disposition = true;
		return !again && parse_disposition(value, ret, seen);
	}
	if (slice_eq_nocase(name, S("Content-Type")))
		return set_once(&ret->content_type, value);
	if (slice_eq_nocase(name, S("Content-Transfer-Encoding")))
		return set_once(&ret->content_transfer_encoding, value);
	return true;
}

enum form_result form_parse_part(struct slice headers, struct form_part *ret)
{
	struct seen seen = {0};
	*ret = (struct form_part){0};
	while (headers.len > 0) {
		struct slice line;
		(void)slice_cut(&headers, '\n', &line);
		line.len--;
		if (!parse_line(line, ret, &seen))
			return FORM_BAD;
	}
	if (!seen.disposition)
		return FORM_BAD;
	return ret->name.len <= LIMIT_FIELD_NAME_BYTES ? FORM_PART : FORM_NAME_TOO_LONG;
}

static bool is_boundary(const struct param *param)
{
	struct slice s = param->value;
	if (s.len == 0 || s.len > LIMIT_BOUNDARY_BYTES || s.ptr[s.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			return false;
	}
	return true;
}

enum form_boundary form_boundary_parse(struct slice content_type, struct slice *ret_boundary)
{
	struct slice type = slice_head(content_type, slice_find(content_type, ';'));
	struct slice boundary = {NULL, 0};
	if (!slice_eq_nocase(slice_trim(type), S("multipart/form-data")))
		return FORM_BOUNDARY_OTHER_TYPE;
	content_type = slice_from(content_type, type.len);
	for (;;) {
		struct param param;
		switch (param_next(&content_type, &param)) {
		case PARAM_NONE:
			if (!boundary.ptr)
				return FORM_BOUNDARY_MISSING;
			*ret_boundary = boundary;
			return FORM_BOUNDARY_FOUND;
		case PARAM_FOUND:
			if (!slice_eq_nocase(param.name, S("boundary")))
				break;
			if (boundary.ptr || !is_boundary(&param))
				return FORM_BOUNDARY_MISSING;
			boundary = param.value;
			break;
		case PARAM_BAD:
			return FORM_BOUNDARY_MISSING;
		}
	}
}
