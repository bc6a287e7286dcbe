/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "crypto/seal.h"
#include "tap.h"

static const uint8_t key[SEAL_KEY_BYTES] = {1, 2, 3};

/* Made with another implementation of AES-256-GCM (Python's `cryptography`). */
static void vector(void)
{
	SCOPED_STRBUF(opened, 256);
	unsigned char bytes[64];
	struct slice hex = S("000102030405060708090a0bf2a7b0e4cefe3295dbdab2b31b30d811456a70c0be0c7"
			     "be77d8089c4d45c");
	OK(hex.len % 2 == 0 && hex_decode(hex, bytes, hex.len / 2), "the vector");
	OK(seal_open(key, S("test"), slice_of(bytes, hex.len / 2), &opened), "is opened");
	IS(strbuf_slice(&opened), S("what is sealed"), "and holds what was sealed");
}

static void seals(void)
{
	SCOPED_STRBUF(sealed, 256);
	SCOPED_STRBUF(opened, 256);
	SCOPED_STRBUF(narrow, 20);
	strbuf_adds(&sealed, "before ");
	OK(seal(key, S("one"), S(""), &sealed), "nothing is sealed");
	IS_INT(sealed.len, 7 + SEAL_EXTRA_BYTES, "in so many bytes, behind what was there");
	OK(seal_open(key, S("one"), slice_from(strbuf_slice(&sealed), 7), &opened), "and opened");
	IS(strbuf_slice(&opened), S(""), "again");
	OK(!seal_open(key, S("two"), slice_from(strbuf_slice(&sealed), 7), &opened),
		"but not for another purpose");
	OK(!seal_open(key, S("one"), slice_of(sealed.ptr + 7, SEAL_EXTRA_BYTES - 1), &opened),
		"nor one byte less");
	OK(!seal(key, S("one"), S("text"), &narrow) && narrow.len == 0, "no room");
}

int main(void)
{
	vector();
	seals();
	return tap_done();
}
