/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op.h"

#define ABSENT_GET(name, ...) extern const struct op op_absent_##name;
#define ABSENT_DELETE(name, ...) extern const struct op op_absent_##name;
#include "ops/bucket/absent.def"
#undef ABSENT_GET
#undef ABSENT_DELETE

const struct op *const op_table[] = {
#define OPERATION(name) &op_##name,
#include "ops/operations.def"
#undef OPERATION
#define ABSENT_GET(name, ...) &op_absent_##name,
#define ABSENT_DELETE(name, ...) &op_absent_##name,
#include "ops/bucket/absent.def"
	NULL,
};
