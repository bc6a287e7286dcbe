/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Posts forms as fast as a server takes them (load.h):
 *
 *	upload_load PORT PATH FORM SIZE CONNECTIONS SECONDS [REQUESTS [RUN]]
 *
 * FORM is a file with the form up to and including the header of its file part, whose boundary is
 * BOUNDARY below. The mark in it becomes the request's number; the run is named by RUN, a number
 * below 2^16.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "load.h"

#define BOUNDARY "postern-bench-boundary"
#define END "\r\n--" BOUNDARY "--\r\n"

struct upload {
	const char *path;
	uint16_t port;
	uint64_t size;
	uint64_t run;
	struct strbuf form;
};

static void read_form(const char *name, struct strbuf *out)
{
	char bytes[4096];
	size_t n;
	FILE *file = fopen(name, "r");
	if (!file) {
		perror(name);
		exit(1);
	}
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		strbuf_add(out, bytes, n);
	(void)fclose(file);
}

static void compose(void *ctx, uint64_t number, struct strbuf *out)
{
	const struct upload *upload = ctx;
	strbuf_addf(out,
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
		"Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n"
		"Content-Length: %llu\r\n\r\n",
		upload->path, upload->port,
		(unsigned long long)(upload->form.len + upload->size + strlen(END)));
	strbuf_add_slice(out, strbuf_slice(&upload->form));
	size_t mark = slice_find_slice(strbuf_slice(out), S(LOAD_MARK));
	if (mark < out->len)
		load_mark(out->ptr + mark, upload->run, number);
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: upload_load PORT PATH FORM SIZE CONNECTIONS SECONDS "
				"[REQUESTS [RUN]]\n");
		return 2;
	}
	struct upload upload = {
		.port = (uint16_t)load_argument(argc, argv, 1, 0),
		.path = argv[2],
		.size = load_argument(argc, argv, 4, 0),
		.run = load_argument(argc, argv, 8, 0),
	};
	struct load load = {
		.program = "upload_load",
		.port = upload.port,
		.connections = (size_t)load_argument(argc, argv, 5, 1),
		.seconds = (int64_t)load_argument(argc, argv, 6, 1),
		.count = load_argument(argc, argv, 7, UINT64_MAX),
		.size = upload.size,
		.trailer = S(END),
		.compose = compose,
		.ctx = &upload,
	};
	strbuf_init(&upload.form, KIB(64));
	read_form(argv[3], &upload.form);
	load_run(&load);
	return 0;
}
