/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transport.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static enum transport_result plain_result(void)
{
	return errno == EAGAIN || errno == EINTR ? TRANSPORT_AGAIN : TRANSPORT_FAILED;
}

static enum transport_result tls_result(struct transport *t, int ret)
{
	int reason = SSL_get_error(t->tls, ret);
	ERR_clear_error();
	if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
		return TRANSPORT_AGAIN;
	return reason == SSL_ERROR_ZERO_RETURN ? TRANSPORT_EOF : TRANSPORT_FAILED;
}

static int clamp(size_t size)
{
	return size > INT_MAX ? INT_MAX : (int)size;
}

enum transport_result transport_handshake(struct transport *t)
{
	if (!t->tls)
		return TRANSPORT_OK;
	int ret = SSL_do_handshake(t->tls);
	if (ret == 1)
		return TRANSPORT_OK;
	return tls_result(t, ret) == TRANSPORT_AGAIN ? TRANSPORT_AGAIN : TRANSPORT_FAILED;
}

enum transport_result transport_read(struct transport *t, char *to, size_t size, size_t *ret_len)
{
	if (t->tls) {
		int n = SSL_read(t->tls, to, clamp(size));
		if (n <= 0)
			return tls_result(t, n);
		*ret_len = (size_t)n;
		return TRANSPORT_OK;
	}
	ssize_t n = recv(t->fd, to, size, 0);
	if (n > 0) {
		*ret_len = (size_t)n;
		return TRANSPORT_OK;
	}
	return n == 0 ? TRANSPORT_EOF : plain_result();
}

enum transport_result transport_write(
	struct transport *t, struct slice bytes, bool more, size_t *ret_len)
{
	if (t->tls) {
		int n = SSL_write(t->tls, bytes.ptr, clamp(bytes.len));
		if (n <= 0)
			return tls_result(t, n);
		*ret_len = (size_t)n;
		return TRANSPORT_OK;
	}
	ssize_t n = send(t->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	if (n < 0)
		return plain_result();
	*ret_len = (size_t)n;
	return TRANSPORT_OK;
}

enum transport_result transport_send_file(struct transport *t, int file, uint64_t offset,
	uint64_t size, char *scratch, size_t scratch_size, size_t *ret_len)
{
	if (t->tls) {
		size_t want = size < scratch_size ? (size_t)size : scratch_size;
		ssize_t n = pread(file, scratch, want, (off_t)offset);
		if (n <= 0)
			return n == 0 ? TRANSPORT_EOF : TRANSPORT_FAILED;
		return transport_write(t, slice_of(scratch, (size_t)n), false, ret_len);
	}
	off_t at = (off_t)offset;
	ssize_t n = sendfile(t->fd, file, &at, (size_t)size);
	if (n < 0)
		return plain_result();
	if (n == 0)
		return TRANSPORT_EOF;
	*ret_len = (size_t)n;
	return TRANSPORT_OK;
}

void transport_shutdown(struct transport *t)
{
	if (t->tls) {
		/* One try is enough: the alert is a courtesy, the FIN is what ends the answer. */
		(void)SSL_shutdown(t->tls);
		ERR_clear_error();
	}
	(void)shutdown(t->fd, SHUT_WR);
}

void transport_close(struct transport *t)
{
	SSL_free(t->tls);
	t->tls = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}
