/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small XML documents: a writer on strbuf, and a reader driven by a table.
 *
 * The reader is for configuration documents and key lists. It knows which elements may stand
 * where from a table of paths and refuses every other unless told to pass over them, so depth is
 *bounded by the table; document type declarations (hence entities) are refused; attributes,
 *comments and processing instructions are skipped. Namespaces are not processed. Documents are
 *UTF-8; characters that XML cannot hold may stand in text all the same, see xml_controls.h.
 *
 *	static const struct xml_element delete_elements[] = {
 *		{.path = "/Delete"},
 *		{.path = "/Delete/Quiet", .text = set_quiet},
 *		{.path = "/Delete/Object", .open = object_open, .close = object_close},
 *		{.path = "/Delete/Object/Key", .text = set_key},
 *	};
 */
#ifndef OSS_TEXT_XML_H
#define OSS_TEXT_XML_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

/* ---- Writing -------------------------------------------------------------------------------- */

/* What every document of OSS begins with. */
#define XML_PROLOG "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* `<name>` and `</name>`. */
void xml_open(struct strbuf *out, const char *name);
void xml_close(struct strbuf *out, const char *name);
/*
 * Appends `text` so that a reader gets it back as it is. Characters that XML 1.0 cannot hold
 * (most control characters, U+FFFE, U+FFFF) and bytes that are not UTF-8 become U+FFFD: use
 * encoding-type=url for names that have them.
 */
void xml_escape(struct strbuf *out, struct slice text);
/* `<name>text</name>`, escaped. */
void xml_element(struct strbuf *out, const char *name, struct slice text);
/*
 * The same, but the characters that XML 1.0 cannot hold are written as they are: names of objects
 * in OSS's lists are what can be asked for, and a strict reader needs encoding-type=url.
 */
void xml_element_exact(struct strbuf *out, const char *name, struct slice text);
void xml_element_u64(struct strbuf *out, const char *name, uint64_t value);

/* ---- Reading -------------------------------------------------------------------------------- */

/*
 * A kind of element. Handlers get the `ctx` of xml_read() and the reader's `reason`; an error
 * stops the reading and becomes its result, and the handler may append a sentence to `reason`.
 */
struct xml_element {
	const char *path; /* from the root: "/Delete/Object/Key"; at most 127 bytes */
	/*
	 * Elements in this one that have no row are passed over, with all that they hold. Not for
	 * those whose parts narrow down what the document is about.
	 */
	bool skips_unknown;
	/* May be NULL. Of these, the ones that must not be passed over: they are no part of it. */
	bool (*minds)(struct slice name);
	/* For elements that hold elements; each may be NULL. Text in them must be white space. */
	enum err (*open)(void *ctx, struct strbuf *reason);
	enum err (*close)(void *ctx, struct strbuf *reason);
	/*
	 * For elements that hold text: called at the end with all of it, references resolved,
	 * white space kept; it is dead when the call returns.
	 */
	enum err (*text)(void *ctx, struct slice text, struct strbuf *reason);
};

/*
 * Reads a whole document along `count` rows, the first of which is the root. ERR_MALFORMED_XML if
 * it is not well-formed, holds an element that has no row, or text where elements belong; then
 * `reason` says what and in which line. ERR_UNAVAILABLE without memory. The caller bounds the
 * size of `document`.
 */
enum err xml_read(struct slice document, const struct xml_element *elements, size_t count,
	void *ctx, struct strbuf *reason) MUST_USE;

/* Without XML's white space (space, tab, CR, LF) at both ends. */
struct slice xml_trim(struct slice text);

#endif
