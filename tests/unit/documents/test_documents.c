/* SPDX-License-Identifier: Apache-2.0 */
/* Documents in a folder and in memory; those in Ceph are in store/test_rados_documents.c. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/private_file.h"
#include "documents/documents.h"
#include "tap.h"
#include "unit/documents/places.h"

static char folder[] = "/tmp/postern-test-documents-XXXXXX";

static struct documents *open_folder(void)
{
	struct documents *d = NULL;
	if (documents_in_folder(folder, &d) != ERR_OK)
		abort();
	return d;
}

static void files(void)
{
	struct documents *d = open_folder();
	struct documents *nowhere = NULL;
	struct follower follower = {.base = {.name = "followed", .take = follower_take}};
	struct stat info;
	char path[200];
	bool found;
	snprintf(path, sizeof(path), "%s/made", folder);
	OK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600, "a file is its owner's alone");
	OK(strcmp(documents_where(d), folder) == 0, "where they are is the folder");
	OK(private_file_write(folder, "followed", S("one")) == ERR_OK &&
			documents_follow(d, &follower.base, &found) == ERR_OK && found,
		"a file is followed");
	documents_look(d, false);
	IS_INT(follower.taken, 1, "one that is the same is not taken again");
	documents_look(d, true);
	IS_INT(follower.taken, 2, "unless that is asked for");
	OK(private_file_write(folder, "followed", S("one")) == ERR_OK, "it is written again");
	documents_look(d, false);
	IS_INT(follower.taken, 3, "and taken, though the bytes are the same");
	documents_unfollow(&follower.base);
	documents_close(d);
	if (documents_in_folder("/no/such/folder", &nowhere) != ERR_OK)
		abort();
	OK(!place_replaces(nowhere, "a", "", "b"), "nothing is written into a folder that is none");
	documents_close(nowhere);
	unlink(path);
}

struct maker {
	pthread_t thread;
	char bytes[64];
};

static void *make_on(void *ctx)
{
	struct maker *maker = ctx;
	struct documents *d = open_folder();
	place_make(d, "raced", maker->bytes, sizeof(maker->bytes));
	documents_close(d);
	return NULL;
}

/* As several processes on one folder. */
static void made_at_once(void)
{
	struct maker makers[8];
	unsigned same = 0;
	for (size_t i = 0; i < ARRAY_LEN(makers); i++)
		if (pthread_create(&makers[i].thread, NULL, make_on, &makers[i]) != 0)
			abort();
	for (size_t i = 0; i < ARRAY_LEN(makers); i++)
		pthread_join(makers[i].thread, NULL);
	for (size_t i = 0; i < ARRAY_LEN(makers); i++)
		same += makers[i].bytes[0] && strcmp(makers[i].bytes, makers[0].bytes) == 0;
	IS_INT(same, ARRAY_LEN(makers), "who makes one at the same time gets the same");
}

static void *count_on(void *ctx)
{
	struct documents *d = open_folder();
	(void)ctx;
	for (unsigned i = 0; i < 25; i++)
		place_count(d, "counter");
	documents_close(d);
	return NULL;
}

static void replaced_at_once(void)
{
	pthread_t threads[4];
	struct documents *d = open_folder();
	OK(place_replaces(d, "counter", "", "0"), "a counter");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		if (pthread_create(&threads[i], NULL, count_on, NULL) != 0)
			abort();
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	OK(place_is(d, "counter", "100"), "no change of several writers is lost");
	documents_close(d);
}

int main(void)
{
	struct documents *d;
	if (!mkdtemp(folder))
		return 1;
	d = open_folder();
	place_keeps(d, "in a folder");
	documents_close(d);
	files();
	made_at_once();
	replaced_at_once();
	if (documents_in_memory(&d) != ERR_OK)
		return 1;
	place_keeps(d, "in memory");
	documents_close(d);
	SCOPED_STRBUF(command, 300);
	strbuf_addf(&command, "rm -r -- '%s'", folder);
	OK(system(command.ptr) == 0, "the folder is removed");
	return tap_done();
}
