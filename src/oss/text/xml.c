/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/text/xml.h"

#include <expat.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/text/xml_controls.h"

#define PATH_BYTES 128      /* of an element, with the NUL */
#define PIECE_BYTES KIB(16) /* that are parsed at a time */
#define REPLACEMENT "\xef\xbf\xbd"

/* ---- Writing -------------------------------------------------------------------------------- */

void xml_open(struct strbuf *out, const char *name)
{
	strbuf_addc(out, '<');
	strbuf_adds(out, name);
	strbuf_addc(out, '>');
}

void xml_close(struct strbuf *out, const char *name)
{
	strbuf_adds(out, "</");
	strbuf_adds(out, name);
	strbuf_addc(out, '>');
}

/* What stands for a byte of ASCII in text, or NULL if it may stand for itself. */
static const char *ascii_reference(unsigned char c, bool exact)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\r':
		return "&#13;"; /* readers turn a plain one into a line feed */
	default:
		if (c == 0)
			return REPLACEMENT;
		return c < 0x20 && c != '\t' && c != '\n' && !exact ? REPLACEMENT : NULL;
	}
}

/*
 * Length of the character at the front of `text`, which is not empty: one UTF-8 sequence, or one
 * byte that does not begin any; *ret_fit tells whether it is written: XML can hold it, or `exact`.
 */
static size_t character(struct slice text, bool exact, bool *ret_fit)
{
	*ret_fit = true;
	if ((unsigned char)text.ptr[0] < 0x80)
		return 1;
	for (size_t len = 2; len <= 4 && len <= text.len; len++) {
		struct slice sequence = slice_head(text, len);
		if (!utf8_valid(sequence))
			continue;
		*ret_fit = exact || (!slice_eq(sequence, S("\xef\xbf\xbe")) &&
					    !slice_eq(sequence, S("\xef\xbf\xbf")));
		return len;
	}
	*ret_fit = false;
	return 1;
}

static void escape(struct strbuf *out, struct slice text, bool exact)
{
	size_t plain = 0; /* bytes at the front of `text` that stand for themselves */
	while (plain < text.len) {
		bool fit;
		size_t len = character(slice_from(text, plain), exact, &fit);
		const char *instead = fit ? NULL : REPLACEMENT;
		if (fit && len == 1)
			instead = ascii_reference((unsigned char)text.ptr[plain], exact);
		if (!instead) {
			plain += len;
			continue;
		}
		strbuf_add(out, text.ptr, plain);
		strbuf_adds(out, instead);
		text = slice_from(text, plain + len);
		plain = 0;
	}
	strbuf_add_slice(out, text);
}

void xml_escape(struct strbuf *out, struct slice text)
{
	escape(out, text, false);
}

void xml_element_exact(struct strbuf *out, const char *name, struct slice text)
{
	xml_open(out, name);
	escape(out, text, true);
	xml_close(out, name);
}

void xml_element(struct strbuf *out, const char *name, struct slice text)
{
	xml_open(out, name);
	xml_escape(out, text);
	xml_close(out, name);
}

void xml_element_u64(struct strbuf *out, const char *name, uint64_t value)
{
	xml_open(out, name);
	strbuf_add_u64(out, value);
	xml_close(out, name);
}

/* ---- Reading -------------------------------------------------------------------------------- */

struct reader {
	XML_Parser parser;
	const struct xml_element *elements;
	size_t element_count;
	void *ctx;
	struct strbuf *reason;
	struct strbuf text;                /* of the element that is being read, if it holds text */
	const struct xml_element *current; /* NULL outside the root */
	char path[PATH_BYTES];
	size_t path_len;
	unsigned skipped;    /* how many elements that are passed over are open */
	size_t attributes;   /* of all elements so far */
	bool hides_controls; /* the document came out of xml_controls_hide() */
	enum err result;
};

static void stop(struct reader *r, enum err e)
{
	if (r->result != ERR_OK)
		return;
	r->result = e;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static unsigned long line(struct reader *r)
{
	return (unsigned long)XML_GetCurrentLineNumber(r->parser);
}

static const struct xml_element *find(const struct reader *r)
{
	for (size_t i = 0; i < r->element_count; i++)
		if (slice_eq(slice_str(r->elements[i].path), slice_of(r->path, r->path_len)))
			return &r->elements[i];
	return NULL;
}

/* Expat goes on to the end of its buffer after a stop inside some tokens, hence the first test. */
static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = user;
	if (r->result != ERR_OK)
		return;
	/* Names and values by turns. None is read. */
	for (; *attributes; attributes += 2)
		r->attributes++;
	if (r->attributes > LIMIT_XML_ATTRIBUTES) {
		strbuf_addf(
			r->reason, "The XML has more than %d attributes.", LIMIT_XML_ATTRIBUTES);
		stop(r, ERR_MALFORMED_XML);
		return;
	}
	if (r->skipped) {
		r->skipped++;
		return;
	}
	size_t len = strlen(name);
	size_t before = r->path_len;
	if (len + 2 <= sizeof(r->path) - r->path_len) {
		r->path[r->path_len] = '/';
		memcpy(r->path + r->path_len + 1, name, len);
		r->path_len += len + 1;
		const struct xml_element *next = find(r);
		if (next) {
			r->current = next;
			strbuf_clear(&r->text);
			enum err e = next->open ? next->open(r->ctx, r->reason) : ERR_OK;
			if (e != ERR_OK)
				stop(r, e);
			return;
		}
	}
	bool passed_over = r->current && r->current->skips_unknown &&
			   !(r->current->minds && r->current->minds(slice_of(name, len)));
	if (passed_over) {
		r->path_len = before;
		r->skipped = 1;
		return;
	}
	strbuf_addf(r->reason, "The XML holds an element that does not belong there, in line %lu.",
		line(r));
	stop(r, ERR_MALFORMED_XML);
}

static enum err give_text(struct reader *r)
{
	SCOPED_STRBUF(shown, r->text.len + 1);
	struct slice text = strbuf_slice(&r->text);
	if (r->hides_controls) {
		xml_controls_show(text, &shown);
		text = strbuf_slice(&shown);
	}
	if (strbuf_broken(&r->text) || strbuf_broken(&shown))
		return ERR_UNAVAILABLE;
	return r->current->text(r->ctx, text, r->reason);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
	struct reader *r = user;
	enum err e = ERR_OK;
	if (r->result != ERR_OK)
		return;
	if (r->skipped) {
		r->skipped--;
		return;
	}
	if (r->current->text)
		e = give_text(r);
	else if (r->current->close)
		e = r->current->close(r->ctx, r->reason);
	if (e != ERR_OK) {
		stop(r, e);
		return;
	}
	r->path_len -= strlen(name) + 1;
	r->current = find(r);
}

static void XMLCALL on_text(void *user, const XML_Char *text, int len)
{
	struct reader *r = user;
	if (r->result != ERR_OK || r->skipped)
		return;
	struct slice piece = slice_of(text, (size_t)len);
	if (r->current->text) {
		strbuf_add_slice(&r->text, piece);
	} else if (xml_trim(piece).len) {
		strbuf_addf(r->reason,
			"The XML holds text where only elements belong, in line %lu.", line(r));
		stop(r, ERR_MALFORMED_XML);
	}
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
	const XML_Char *public_id, int has_internal_subset)
{
	struct reader *r = user;
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal_subset;
	if (r->result != ERR_OK)
		return;
	strbuf_adds(r->reason, "The XML must not have a document type declaration.");
	stop(r, ERR_MALFORMED_XML);
}

/*
 * In pieces, so that a tag without an end is noticed before it is read: expat makes something of
 * each of its attributes. False after an error of expat's.
 */
static bool feed(struct reader *r, struct slice document)
{
	for (size_t fed = 0; fed < document.len && r->result == ERR_OK;) {
		struct slice piece = slice_head(slice_from(document, fed), PIECE_BYTES);
		fed += piece.len;
		if (XML_Parse(r->parser, piece.ptr, (int)piece.len, fed == document.len) ==
			XML_STATUS_ERROR)
			return false;
		XML_Index begun = XML_GetCurrentByteIndex(r->parser);
		if (begun >= 0 && fed - (size_t)begun > LIMIT_XML_TOKEN_BYTES &&
			r->result == ERR_OK) {
			strbuf_addf(r->reason,
				"The XML has a tag or a comment of more than %zu bytes.",
				LIMIT_XML_TOKEN_BYTES);
			r->result = ERR_MALFORMED_XML;
		}
	}
	return document.len > 0 || XML_Parse(r->parser, "", 0, 1) != XML_STATUS_ERROR;
}

static void parse(struct reader *r, struct slice document)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	if (feed(r, document) || r->result != ERR_OK)
		return;
	enum XML_Error error = XML_GetErrorCode(r->parser);
	if (error == XML_ERROR_NO_MEMORY) {
		r->result = ERR_UNAVAILABLE;
		return;
	}
	strbuf_addf(r->reason, "The XML is not well-formed in line %lu: %s.", line(r),
		XML_ErrorString(error));
	r->result = ERR_MALFORMED_XML;
}

enum err xml_read(struct slice document, const struct xml_element *elements, size_t count,
	void *ctx, struct strbuf *reason)
{
	/* One more than the document can become, so that only want of memory can break it. */
	struct reader r = {
		.elements = elements,
		.element_count = count,
		.ctx = ctx,
		.reason = reason,
		.text = STRBUF_INIT(3 * document.len + 1),
	};
	if (document.len > INT32_MAX)
		return ERR_MALFORMED_XML;
	/* OSS takes documents that begin with an empty line; XML does not. */
	document = xml_trim(document);
	SCOPED_STRBUF(hidden, 3 * document.len + 1);
	r.hides_controls = xml_controls_hide(document, &hidden);
	if (strbuf_broken(&hidden))
		return ERR_UNAVAILABLE;
	if (r.hides_controls)
		document = strbuf_slice(&hidden);
	/* Naming the encoding here makes expat ignore what the document claims. */
	r.parser = XML_ParserCreate("UTF-8");
	if (!r.parser)
		return ERR_UNAVAILABLE;
	parse(&r, document);
	XML_ParserFree(r.parser);
	strbuf_release(&r.text);
	return r.result;
}

struct slice xml_trim(struct slice text)
{
	static const char white[] = " \t\r\n";
	while (text.len && memchr(white, text.ptr[0], sizeof(white) - 1))
		text = slice_from(text, 1);
	while (text.len && memchr(white, text.ptr[text.len - 1], sizeof(white) - 1))
		text.len--;
	return text;
}
