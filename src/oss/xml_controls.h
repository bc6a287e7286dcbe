/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control characters in XML, for xml_read(). XML 1.0 cannot hold most of them, not even as
 * `&#x0C;`, but SDKs write them in keys, as references or as they are, and OSS reads them. So they
 * are replaced before the parser sees the document, by pairs of characters that it takes, and put
 * in place behind it.
 *
 * What a document says otherwise is not changed by the two. One with a CDATA section, in which
 * nothing is a reference, is left as it is.
 */
#ifndef OSS_XML_CONTROLS_H
#define OSS_XML_CONTROLS_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/strbuf.h"

/* Whether there may be any in the document. */
bool xml_controls_found(struct slice document) MUST_USE;

/* Appends the document, at most XML_CONTROLS_GROWTH times as long. */
#define XML_CONTROLS_GROWTH 7
void xml_controls_hide(struct slice document, struct strbuf *out);

/* Appends the text of an element as it was meant. */
void xml_controls_show(struct slice text, struct strbuf *out);

#endif
