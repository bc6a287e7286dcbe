/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "crypto/secret.h"

#define PIECE_BYTES 8192

bool input_read_whole(const char *path, struct strbuf *out, struct strbuf *ret_why)
{
	bool is_stdin = slice_eq(slice_str(path), S("-"));
	SCOPED_FD int opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	int fd = is_stdin ? STDIN_FILENO : opened;
	char piece[PIECE_BYTES];
	ssize_t n = -1;
	while (fd >= 0 && (n = read(fd, piece, sizeof(piece))) > 0)
		strbuf_add(out, piece, (size_t)n);
	secret_wipe(piece, sizeof(piece));
	if (fd < 0 || n < 0)
		strbuf_adds(ret_why, strerror(errno));
	else if (strbuf_broken(out))
		strbuf_addf(ret_why, "longer than %zu bytes", out->max);
	return n == 0 && !strbuf_broken(out);
}

bool input_read(const char *command, const char *path, struct strbuf *out)
{
	SCOPED_STRBUF(why, 256);
	bool ok = input_read_whole(path, out, &why);
	if (!ok)
		fprintf(stderr, "postern %s: %s: %s\n", command, path, why.ptr);
	return ok;
}

void input_trim(struct strbuf *text)
{
	while (text->len && (text->ptr[text->len - 1] == '\n' || text->ptr[text->len - 1] == '\r'))
		strbuf_truncate(text, text->len - 1);
}
