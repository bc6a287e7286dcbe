/* SPDX-License-Identifier: Apache-2.0 */
#include "base/shared_library.h"

#include <math.h>

#include "tap.h"

int main(void)
{
	double (*root)(double) = NULL;
	int (*other)(void) = NULL;
	const struct library_function functions[] = {{"sqrt", &root}, {"no_such_function", &other}};
	char why[128] = "";
	OK(shared_library_load("libm.so.6", functions, 1, why, sizeof(why)), "loaded");
	OK(root && root(9.0) > 2.9 && root(9.0) < 3.1, "its function can be called");
	OK(!shared_library_load("libm.so.6", functions, 2, why, sizeof(why)), "one is not there");
	IS(slice_str(why), S("libm.so.6 has no no_such_function()"), "it is named");
	OK(!shared_library_load("libno-such.so.1", functions, 1, why, sizeof(why)), "not there");
	OK(strstr(why, "libno-such.so.1"), "it is named");
	return tap_done();
}
