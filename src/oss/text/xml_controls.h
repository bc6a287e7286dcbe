/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters that XML 1.0 cannot hold: control characters, U+FFFE and U+FFFF. OSS writes those of
 * keys into its lists as they are, and takes them in that form, and as references (`&#12;`), which
 * Go's SDKs send. So xml.c replaces them before its parser sees a document, by characters that
 * nobody uses, and puts them in place in the text behind it. What a document says otherwise is not
 * changed by the two.
 */
#ifndef OSS_TEXT_XML_CONTROLS_H
#define OSS_TEXT_XML_CONTROLS_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/strbuf.h"

/*
 * Appends the document, of at most three times the length, if anything has to be replaced; false,
 * and nothing is appended, if not.
 */
bool xml_controls_hide(struct slice document, struct strbuf *out) MUST_USE;

/* Appends the text of an element of such a document as it was meant. */
void xml_controls_show(struct slice text, struct strbuf *out);

#endif
