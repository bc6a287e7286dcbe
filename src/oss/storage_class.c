/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/storage_class.h"

bool storage_class_is_known(struct slice name)
{
	static const struct slice names[] = {SLICE_LIT("Standard"), SLICE_LIT("IA"),
		SLICE_LIT("Archive"), SLICE_LIT("ColdArchive"), SLICE_LIT("DeepColdArchive")};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq(name, names[i]))
			return true;
	return false;
}
