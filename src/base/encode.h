/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text forms of bytes: base64 (RFC 4648 section 4, padded), hexadecimal, and percent-encoding
 * (RFC 3986). Decoders are strict: anything that is not the one canonical alphabet is refused.
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/slice.h"
#include "base/strbuf.h"

void base64_encode(struct strbuf *out, struct slice bytes);
/*
 * Appends the decoded bytes. False if `text` is not padded standard base64 (white space,
 * characters outside the alphabet, wrong padding, non-zero left-over bits); `out` is then as
 * before.
 */
bool base64_decode(struct strbuf *out, struct slice text) MUST_USE;

/* The alphabet for URLs, without padding (RFC 4648 section 5). */
void base64url_encode(struct strbuf *out, struct slice bytes);
/* As strict: padding is refused. `out` is as before if it is false. */
bool base64url_decode(struct strbuf *out, struct slice text) MUST_USE;
/* The same into `ret`, which has room for `size` bytes; false, with both undefined, otherwise. */
bool base64url_decode_into(struct slice text, void *ret, size_t size, size_t *ret_len) MUST_USE;

void hex_encode_lower(struct strbuf *out, struct slice bytes);
void hex_encode_upper(struct strbuf *out, struct slice bytes);
/* 2 * `bytes.len` digits into `ret`, and no NUL. */
void hex_encode_lower_into(char *ret, struct slice bytes);
/* Exactly 2 * `len` digits of either case into `ret`; false, with `ret` undefined, otherwise. */
bool hex_decode(struct slice text, void *ret, size_t len) MUST_USE;

/* Every byte except A-Z a-z 0-9 - . _ ~ becomes %HH, in upper case. */
void percent_encode(struct strbuf *out, struct slice bytes);
/* The same, but `/` stays. */
void percent_encode_path(struct strbuf *out, struct slice bytes);
/*
 * Appends the decoded bytes; `+` stays `+`. False if a % is not followed by two hexadecimal
 * digits; `out` is then as before.
 */
bool percent_decode(struct strbuf *out, struct slice text) MUST_USE;
/*
 * The same for a path or a query of OSS, where `+` is a space: some SDKs write spaces so, and sign
 * them as spaces. All SDKs send a real plus as %2B (docs/decisions/0012).
 */
bool plus_decode(struct strbuf *out, struct slice text) MUST_USE;

/* Whether `s` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(struct slice s) MUST_USE;
/* Appends `s` with U+FFFD in place of each byte that is not UTF-8. */
void utf8_repair(struct strbuf *out, struct slice s);

#endif
