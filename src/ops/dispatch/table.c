/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op.h"

#define NEVER_SET_GET(name, ...) extern const struct op op_never_set_##name;
#define NEVER_SET_DELETE(name, ...) extern const struct op op_never_set_##name;
#include "ops/bucket/never_set.def"
#undef NEVER_SET_GET
#undef NEVER_SET_DELETE

const struct op *const op_table[] = {
#define OPERATION(name) &op_##name,
#include "ops/operations.def"
#undef OPERATION
#define NEVER_SET_GET(name, ...) &op_never_set_##name,
#define NEVER_SET_DELETE(name, ...) &op_never_set_##name,
#include "ops/bucket/never_set.def"
	NULL,
};
