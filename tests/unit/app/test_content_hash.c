/* SPDX-License-Identifier: Apache-2.0 */
/* Which texts are the SHA-256 of a content. */
#include "app/text/content_hash.h"

#include "tap.h"

#define HASH "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

int main(void)
{
	static const struct slice bad[] = {SLICE_LIT(""), SLICE_LIT("0"), SLICE_LIT(HASH "0"),
		SLICE_LIT("2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824"),
		SLICE_LIT("gcf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
		SLICE_LIT("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b982\0"),
		SLICE_LIT(" cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")};
	OK(content_hash_is_valid(S(HASH)), "64 digits");
	OK(!content_hash_is_valid(slice_head(S(HASH), 63)), "not 63");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!content_hash_is_valid(bad[i]), "and nothing else: %zu", i);
	return tap_done();
}
