/* SPDX-License-Identifier: Apache-2.0 */
/* Sums for a file that was written without. Its bytes are not touched: all is behind them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/local/disk/files.h"
#include "store/local/large/large_internal.h"

static int write_pages(int fd, uint64_t file, uint64_t size, const struct sums *sums)
{
	static const char zeros[SUMS_PAGE_BYTES];
	unsigned char page[SUMS_PAGE_BYTES];
	uint64_t begin = sums_offset(size);
	uint64_t pages = sums_pages(size);
	struct iovec iov = {.iov_base = (void *)(uintptr_t)zeros, .iov_len = begin - size};
	int e = files_write(fd, &iov, 1, size);
	for (uint64_t i = 0; e == 0 && i < pages; i++) {
		sums_page_write(sums, file, i, page);
		iov = (struct iovec){.iov_base = page, .iov_len = sizeof(page)};
		e = files_write(fd, &iov, 1, begin + i * SUMS_PAGE_BYTES);
	}
	/* Whatever else is there, no record has ever named it. */
	if (e == 0 && ftruncate(fd, (off_t)(begin + pages * SUMS_PAGE_BYTES)) != 0)
		e = errno;
	if (e == 0 && fdatasync(fd) != 0)
		e = errno;
	return e;
}

int large_files_add_sums(
	struct large_files *files, uint64_t file, uint64_t size, const struct sums *sums)
{
	SCOPED_FD int dir = -1;
	char name[LARGE_NAME_BYTES];
	int e = large_files_dir(files, file, false, &dir);
	if (e)
		return e;
	large_files_name(file, name);
	SCOPED_FD int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? errno : write_pages(fd, file, size, sums);
}
