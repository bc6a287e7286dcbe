/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "crypto/random.h"
#include "crypto/secret.h"
#include "tap.h"

static void secrets(void)
{
	struct secret s = SECRET_INIT;
	OK(secret_is_empty(&s), "begins empty");
	OK(secret_set(&s, S("one")), "takes a text");
	IS(secret_slice(&s), S("one"), "gives it back");
	OK(secret_set(&s, secret_slice(&s)), "takes its own text");
	IS(secret_slice(&s), S("one"), "which stays the same");
	OK(secret_set(&s, S("another")), "takes a second");
	IS(secret_slice(&s), S("another"), "which replaces the first");
	secret_release(&s);
	OK(secret_is_empty(&s), "is empty after release");
	secret_release(&s);

	char text[8] = "1234567";
	secret_wipe(text, 4);
	OK(memcmp(text, "\0\0\0\000567", 8) == 0, "wipes what it is told to");
}

static void random_texts(void)
{
	char a[33] = {0}, b[33] = {0};
	random_hex_upper(a, 32);
	random_hex_upper(b, 32);
	OK(strspn(a, "0123456789ABCDEF") == 32, "hexadecimal digits");
	OK(strcmp(a, b) != 0, "never the same");

	/* 620,000 characters: each of the 62 comes up about 10,000 times; 10 sigma are 1,000. */
	unsigned count[256] = {0};
	static char many[620000];
	random_alnum(many, sizeof(many));
	for (size_t i = 0; i < sizeof(many); i++)
		count[(unsigned char)many[i]]++;
	unsigned kinds = 0, odd = 0;
	for (int c = 0; c < 256; c++) {
		kinds += count[c] != 0;
		odd += count[c] != 0 && (count[c] < 9000 || count[c] > 11000);
	}
	IS_INT(kinds, 62, "letters and digits");
	IS_INT(odd, 0, "none favoured");

	unsigned char guarded[12];
	memset(guarded, 7, sizeof(guarded));
	random_bytes(guarded + 2, 8);
	OK(guarded[0] == 7 && guarded[1] == 7 && guarded[10] == 7 && guarded[11] == 7,
		"fills no more than asked");
}

int main(void)
{
	secrets();
	random_texts();
	return tap_done();
}
