/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded back end: the conformance suite, and who may open a folder. */
#include "store/local/local.h"

#include <fcntl.h>

#include "base/limits.h"
#include "tap.h"
#include "unit/store/blocking.h"
#include "unit/store/conformance.h"
#include "unit/store/folder.h"

static struct store *open_local(void *ctx)
{
	struct store *s;
	return local_store_open(ctx, &s) == ERR_OK ? s : NULL;
}

static void report(bool ok, const char *name)
{
	OK(ok, "%s", name);
}

static void conformance(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	/* Small segments and a busy collector, so that they are part of what is tested. */
	struct local_options options = {.path = path,
		.clock = &clock_system,
		.segment_bytes = MIB(4),
		.gc_bytes_per_second = GIB(1),
		.gc_interval_ms = 20};
	struct conformance with = {
		.open = open_local, .ctx = &options, .keeps = true, .ok = report};
	conformance_run(&with);
	folder_remove(path);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[2 * FOLDER_PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void who_may_open(void)
{
	char path[FOLDER_PATH_MAX];
	folder_make(path);
	struct local_options options = {.path = path, .clock = &clock_system};
	struct store *first;
	struct store *second;
	IS_INT(local_store_open(&options, &first), ERR_OK, "a folder is opened");
	IS_INT(local_store_open(&options, &second), ERR_INTERNAL, "but not twice at a time");
	store_close(first);
	IS_INT(local_store_open(&options, &first), ERR_OK, "after closing it may be opened");
	store_close(first);
	write_file(path, "format", "postern store 4\n");
	IS_INT(local_store_open(&options, &first), ERR_INTERNAL, "a newer format is refused");
	write_file(path, "format", "something else\n");
	IS_INT(local_store_open(&options, &first), ERR_INTERNAL, "and so is what is not ours");
	write_file(path, "format", "postern store 1\n"); /* it is brought up to date */
	IS_INT(local_store_open(&options, &first), ERR_OK, "the known format is taken");
	store_close(first);
	folder_remove(path);
	char below[2 * FOLDER_PATH_MAX];
	(void)snprintf(below, sizeof(below), "%s/no/such", path);
	options.path = below;
	IS_INT(local_store_open(&options, &first), ERR_INTERNAL, "a folder must have a place");
}

int main(void)
{
	conformance();
	who_may_open();
	return tap_done();
}
