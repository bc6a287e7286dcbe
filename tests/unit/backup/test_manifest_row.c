/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a manifest: each is written as it was read, and what is none is refused. */
#include "backup/manifest.h"
#include "tap.h"

static const char *const good[] = {
	"made 1 0",
	"made 18446744073709551615 1795879453181",
	"file format 2 16 10263683717013748585",
	"file access_keys.json 2 120 15743676102563137022",
	"file sts_key 2 65 8628580286072912208",
	"file callback_key.pem 2 1704 10815675029949245447",
	"file callbacks.db 2 8192 4499174892228850009",
	"file ledger.db 1 32768 10081220040022533210",
	"segment 1 13033427023395811118 2 856 130 7 0",
	"segment 18446744073709551615 0 2 856 130 7 1",
	"named 3 600000 5 1",
	"named 3 600000 5 0",
	"large 3 600000 5 1 602112 9 1",
	"large 3 600000 5 1 602112 9 0",
	"end 0",
};

static const char *const bad[] = {
	"",
	"made",
	"made ",
	"made 1",
	"made 1 ",
	"made 1 0 ",
	"made 1 0 0",
	" made 1 0",
	"made  1 0",
	"made 1 -1",
	"made 1 18446744073709551616",
	"Made 1 0",
	"mad 1 0",
	"file 2 16 1",
	"file ../format 2 16 1",
	"file format/ 2 16 1",
	"file lock 2 16 1",
	"file format 2 16",
	"file format 2 16 1 1",
	"segment 0 1 2 856 130 7 0",
	"segment 1 1 2 856 130 7 2",
	"segment 1 1 2 856 130 7",
	"named 3 600000 5 2",
	"named 3 600000 5",
	"large 3 600000 5 1 602112 9 2",
	"large 3 600000 5 1 602112 9",
	"end",
	"end x",
	"end 0\n",
};

int main(void)
{
	char written[BACKUP_ROW_MAX];
	struct backup_row row;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		bool ok = backup_row_parse(slice_str(good[i]), &row);
		size_t len = ok ? backup_row_write(&row, written) : 0;
		OK(len == strlen(good[i]) + 1 && written[len - 1] == '\n' &&
				memcmp(written, good[i], len - 1) == 0,
			"%s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		OK(!backup_row_parse(slice_str(bad[i]), &row), "refused: \"%zu\" %.20s", i, bad[i]);
	return tap_done();
}
