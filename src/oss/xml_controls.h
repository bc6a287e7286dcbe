/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control characters in XML. XML 1.0 cannot hold most of them, not even as `&#x0C;`, but the Go
 *SDKs write keys in that way and OSS reads them. So such references are replaced before the reader
 *sees the document, by pairs of characters that it takes, and put in place behind it:
 *
 *	xml_controls_hide(body, &document);
 *	... xml_read(strbuf_slice(&document), ...), whose handlers call
 *	xml_controls_show(text, &key);
 *
 * What a document says otherwise is not changed by the two. One with a CDATA section, in which
 * nothing is a reference, is left as it is.
 */
#ifndef OSS_XML_CONTROLS_H
#define OSS_XML_CONTROLS_H

#include "base/slice.h"
#include "base/strbuf.h"

/* Appends the document; what it has more than before is at most 7 bytes for each 4. */
void xml_controls_hide(struct slice document, struct strbuf *out);

/* Appends the text of an element as it was meant. */
void xml_controls_show(struct slice text, struct strbuf *out);

#endif
