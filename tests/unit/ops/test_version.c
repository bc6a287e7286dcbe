/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/arguments/version.h"
#include "tap.h"

static const char *const refused[] = {"", "0", "NULL", "nul", "null ", "0000000000000000",
	"000000000000001", "00000000000000001", "000000000000000g", "000000000000000a",
	"-000000000000001", "+000000000000001", " 000000000000001", "0x00000000000001",
	"00000000000000:1", "00000000000000@1", "00000000000000/1", "00000000000000G1",
	"00000000000000000000000000000001"};

static void check_round_trip(uint64_t number, const char *want)
{
	SCOPED_STRBUF(id, 64);
	struct store_version got = {.is_null = true};
	version_add_id(&id, false, number);
	OK(slice_eq(strbuf_slice(&id), slice_str(want)), "%s", want);
	OK(version_parse(strbuf_slice(&id), &got) && got.number == number && !got.is_null,
		"%s is read back", want);
}

int main(void)
{
	check_round_trip(1, "0000000000000001");
	check_round_trip(0xdeadbeef01, "000000DEADBEEF01");
	check_round_trip(UINT64_MAX, "FFFFFFFFFFFFFFFF");
	struct store_version got = {.number = 7};
	SCOPED_STRBUF(id, 64);
	version_add_id(&id, true, 7);
	OK(slice_eq(strbuf_slice(&id), S("null")), "a null version is null");
	OK(version_parse(S("null"), &got) && got.is_null && got.number == 0, "null is read back");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct store_version untouched = {.number = 7};
		OK(!version_parse(slice_str(refused[i]), &untouched) && untouched.number == 7,
			"`%s` is refused", refused[i]);
	}
	return tap_done();
}
