/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control characters in XML. XML 1.0 has no way to write U+0001, but OSS takes `&#1;` in the key
 * of a DeleteMultipleObjects, and SDKs write it. So that an XML parser can read such a document the
 * references are replaced by characters that Unicode keeps for use inside a program (U+FDD0 to
 * U+FDEF, one for each control character), and these by the control characters after parsing.
 */
#ifndef OSS_XML_CONTROL_H
#define OSS_XML_CONTROL_H

#include <stdbool.h>

#include "base/strbuf.h"

/*
 * Appends the document with stand-ins to `out`. False, and nothing appended, if it has none of
 * these references or can not have them replaced: it holds a CDATA section, or stand-ins already.
 */
bool xml_control_hide(struct slice document, struct strbuf *out) MUST_USE;
/* Appends parsed text of such a document. A stand-in must not be cut into two calls. */
void xml_control_show(struct slice text, struct strbuf *out);

#endif
