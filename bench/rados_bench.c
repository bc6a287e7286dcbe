/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations that a gateway's requests consist of, one after the other and nothing else, so
 *that it is known what the rest of a gateway costs:
 *
 *	rados_bench CONFIG REQUEST SECONDS
 *
 * REQUEST is put, overwrite, get, list or delete of objects of 4 KiB that are in a tablet, of which
 * there is one here, with ROWS others; or put-data, of 64 MiB. Prints what load.h's programs print.
 * Before them comes `prepare`, which makes the tablet.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "scramble.h"
#include "store/rados/cluster/edit.h"
#include "store/rados/cluster/fetch.h"

#define TABLET "t.bench"
#define EPOCH "E"
#define HEAD "H"
#define OWN "gbench"
#define SUM "g0"

enum {
	ROWS = 10000,
	ROWS_AT_ONCE = 500,
	SAMPLES_MAX = 1 << 22,
	ENTRY_BYTES = 200,
	INLINE_BYTES = 4096,
	LISTED = 1001,
	CHUNKS = 16,
	ON_THEIR_WAY = 2,
	CHUNK_BYTES = (4 << 20) + 512, /* with the sums of its blocks */
	KEY_BYTES = 32,
};

struct bench {
	struct pool *index;
	struct pool *data;
	uint64_t run; /* of this start: its keys are new */
	uint64_t at;
	char *bytes;
};

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "rados_bench: %s: %s\n", what, strerror(-result));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct slice row_of(char kind, uint64_t number, char *room)
{
	int len =
		snprintf(room, KEY_BYTES, "%c%016llx", kind, (unsigned long long)scramble(number));
	return slice_of(room, (size_t)len);
}

static struct slice value(const struct bench *b, size_t len)
{
	return slice_of(b->bytes, len);
}

static void make_tablet(struct bench *b)
{
	char room[KEY_BYTES];
	for (unsigned i = 0; i < ROWS; i += ROWS_AT_ONCE) {
		struct edit edit = edit_begin(b->index);
		edit_ensure(&edit);
		edit_set(&edit, S(EPOCH), value(b, 16));
		edit_set(&edit, S(HEAD), value(b, 40));
		edit_set(&edit, S(OWN), value(b, 64));
		edit_set(&edit, S(SUM), value(b, 64));
		for (unsigned j = i; j < i + ROWS_AT_ONCE; j++) {
			edit_set(&edit, row_of('o', j, room), value(b, ENTRY_BYTES));
			edit_set(&edit, row_of('d', j, room), value(b, INLINE_BYTES));
		}
		must(edit_run(&edit, TABLET), "making the tablet");
	}
}

/* ---- Requests -------------------------------------------------------------------------------- */

/* What a change reads. */
static void read_for_change(struct bench *b, uint64_t number)
{
	char room[2][KEY_BYTES];
	const struct slice common[] = {S(EPOCH), S(HEAD), S(OWN), S(SUM)};
	const struct slice keys[] = {row_of('o', number, room[0]), row_of('h', number, room[1])};
	struct fetch *fetch = fetch_new();
	if (!fetch)
		must(-ENOMEM, "reading");
	(void)fetch_keys(fetch, common, ARRAY_LEN(common));
	(void)fetch_range(fetch, "", "g", FETCH_ROWS_MAX);
	(void)fetch_keys(fetch, keys, ARRAY_LEN(keys));
	must(fetch_run(fetch, b->index, TABLET), "reading");
	fetch_free(fetch);
}

static struct edit begin_change(const struct bench *b, uint64_t number, bool is_new)
{
	char room[KEY_BYTES];
	struct edit edit = edit_begin(b->index);
	edit_compare(&edit, S(EPOCH), value(b, 16));
	edit_compare(&edit, S(OWN), value(b, 64));
	edit_compare(&edit, row_of('o', number, room), value(b, is_new ? 0 : ENTRY_BYTES));
	edit_compare(&edit, row_of('h', number, room), S(""));
	edit_set(&edit, S(OWN), value(b, 64));
	return edit;
}

static void put_small(struct bench *b, uint64_t number, bool is_new)
{
	char room[KEY_BYTES];
	read_for_change(b, number);
	struct edit edit = begin_change(b, number, is_new);
	if (!is_new)
		edit_remove(&edit, row_of('d', number, room));
	edit_set(&edit, row_of('d', number, room), value(b, INLINE_BYTES));
	edit_set(&edit, row_of('o', number, room), value(b, ENTRY_BYTES));
	must(edit_run(&edit, TABLET), "putting");
}

static void put(struct bench *b)
{
	put_small(b, b->run + b->at, true);
}

static void overwrite(struct bench *b)
{
	put_small(b, scramble(b->at) % ROWS, false);
}

static void get(struct bench *b)
{
	char room[3][KEY_BYTES];
	uint64_t number = scramble(b->at) % ROWS;
	const struct slice keys[] = {
		S(HEAD), row_of('o', number, room[0]), row_of('h', number, room[1])};
	struct fetch *fetch = fetch_new();
	if (!fetch)
		must(-ENOMEM, "getting");
	(void)fetch_keys(fetch, keys, ARRAY_LEN(keys));
	(void)row_of('d', number, room[2]);
	(void)fetch_range(fetch, "", room[2], 1);
	must(fetch_run(fetch, b->index, TABLET), "getting");
	fetch_free(fetch);
}

static void list(struct bench *b)
{
	char room[KEY_BYTES];
	const struct slice head = S(HEAD);
	struct fetch *fetch = fetch_new();
	if (!fetch)
		must(-ENOMEM, "listing");
	(void)row_of('o', scramble(b->at) % ROWS, room);
	(void)fetch_range(fetch, room, "o", LISTED);
	(void)fetch_keys(fetch, &head, 1);
	must(fetch_run(fetch, b->index, TABLET), "listing");
	fetch_free(fetch);
}

static void delete_one(struct bench *b)
{
	char room[KEY_BYTES];
	/* After ROWS of them they are not there any more. */
	if (b->at >= ROWS)
		return;
	read_for_change(b, b->at);
	struct edit edit = begin_change(b, b->at, false);
	edit_remove(&edit, row_of('o', b->at, room));
	edit_remove(&edit, row_of('d', b->at, room));
	must(edit_run(&edit, TABLET), "deleting");
}

struct sent {
	struct transfer transfer;
	sem_t *free;
	int result;
};

static void has_arrived(struct transfer *transfer, int result)
{
	struct sent *sent = CONTAINER_OF(transfer, struct sent, transfer);
	sent->result = result;
	(void)sem_post(sent->free);
}

static void put_data(struct bench *b)
{
	char name[48];
	sem_t free;
	struct sent sent[CHUNKS] = {{.free = NULL}};
	(void)sem_init(&free, 0, 0);
	for (unsigned i = 0; i < CHUNKS; i++) {
		/* The first one is alone, as in a gateway. */
		if (i == 1 || i > ON_THEIR_WAY)
			(void)sem_wait(&free);
		(void)snprintf(name, sizeof(name), "bench.%016llx.%x",
			(unsigned long long)(b->run + b->at), i);
		sent[i].free = &free;
		sent[i].transfer.done = has_arrived;
		must(pool_create(
			     b->data, name, value(b, CHUNK_BYTES), S("bench"), &sent[i].transfer),
			"sending");
	}
	for (unsigned i = 0; i < ON_THEIR_WAY; i++)
		(void)sem_wait(&free);
	for (unsigned i = 0; i < CHUNKS; i++)
		must(sent[i].result, "sending");
	(void)sem_destroy(&free);
	read_for_change(b, b->run + b->at);
	char room[KEY_BYTES];
	struct edit edit = begin_change(b, b->run + b->at, true);
	edit_set(&edit, row_of('o', b->run + b->at, room), value(b, ENTRY_BYTES));
	must(edit_run(&edit, TABLET), "putting");
}

static const struct request {
	const char *name;
	void (*run)(struct bench *b);
	uint64_t most;
} requests[] = {
	{"put", put, SAMPLES_MAX},
	{"overwrite", overwrite, SAMPLES_MAX},
	{"get", get, SAMPLES_MAX},
	{"list", list, SAMPLES_MAX},
	{"delete", delete_one, ROWS},
	{"put-data", put_data, SAMPLES_MAX},
};

/* ---- The run --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void measure(struct bench *b, const struct request *request, uint64_t seconds)
{
	uint32_t *micros = calloc(request->most, sizeof(*micros));
	if (!micros)
		must(-ENOMEM, "measuring");
	int64_t start = now_ns();
	int64_t end = start;
	while (b->at < request->most && end - start < (int64_t)seconds * 1000000000) {
		int64_t began = end;
		request->run(b);
		end = now_ns();
		micros[b->at++] = (uint32_t)((end - began) / 1000);
	}
	qsort(micros, b->at, sizeof(*micros), compare);
	printf("requests %llu seconds %.4f bytes 0 p50_us %u p99_us %u\n",
		(unsigned long long)b->at, (double)(end - start) / 1e9, micros[b->at / 2],
		micros[b->at * 99 / 100]);
	free(micros);
}

static const struct request *find_request(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		if (strcmp(requests[i].name, name) == 0)
			return &requests[i];
	return NULL;
}

int main(int argc, char **argv)
{
	bool prepares = argc == 4 && strcmp(argv[2], "prepare") == 0;
	const struct request *request = argc == 4 ? find_request(argv[2]) : NULL;
	struct cluster_options options = {.config = argv[1], .id = "admin", .space = "bare"};
	struct cluster *cluster;
	struct bench b = {.run = (uint64_t)now_ns() << 8, .bytes = malloc(CHUNK_BYTES)};
	uint64_t seconds;
	if ((!request && !prepares) || !slice_to_u64(slice_str(argv[3]), &seconds) || !b.bytes) {
		fprintf(stderr, "usage: rados_bench CONFIG REQUEST SECONDS\n");
		return 2;
	}
	options.timeout_s = LIMIT_RADOS_OPERATION_S;
	memset(b.bytes, 'x', CHUNK_BYTES);
	if (cluster_open(&options, &cluster) != ERR_OK ||
		cluster_pool(cluster, "index", &b.index) != ERR_OK ||
		cluster_pool(cluster, "data", &b.data) != ERR_OK)
		return 1;
	if (prepares)
		make_tablet(&b);
	else
		measure(&b, request, seconds);
	cluster_close(cluster);
	free(b.bytes);
	return 0;
}
