/* SPDX-License-Identifier: Apache-2.0 */
#include "callback/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "crypto/rsa.h"
#include "crypto/secret.h"

#define KEY_BITS 2048
#define KEY_FILE "callback_key.pem"
#define KEY_FILE_BYTES_MAX KIB(16)
#define PATH_BYTES_MAX KIB(4)

struct callback_key {
	struct rsa_private *rsa;
	struct strbuf public_pem;
};

static enum err fault(const char *what, const char *path)
{
	log_error("callback key: %s %s: %s", what, path, strerror(errno));
	return errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_INTERNAL;
}

static bool write_whole(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno != EINTR)
			return false;
		bytes = slice_from(bytes, n > 0 ? (size_t)n : 0);
	}
	return true;
}

/* Whole and synced under a name of its own first: a power cut leaves the key or none, no half. */
static enum err save(const char *data, const char *path, struct slice pem)
{
	SCOPED_STRBUF(partial, PATH_BYTES_MAX);
	strbuf_addf(&partial, "%s.new", path);
	SCOPED_FD int folder = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return fault("open", data);
	SCOPED_FD int fd = open(partial.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault("make", partial.ptr);
	if (!write_whole(fd, pem) || fsync(fd) < 0 || rename(partial.ptr, path) < 0 ||
		fsync(folder) < 0)
		return fault("write", path);
	return ERR_OK;
}

static enum err make_key(const char *data, const char *path, struct callback_key *key)
{
	SCOPED_SECRET struct secret pem = SECRET_INIT;
	enum err e = rsa_private_generate(KEY_BITS, &key->rsa);
	if (!e)
		e = rsa_private_pem(key->rsa, &pem);
	return e ? e : save(data, path, secret_slice(&pem));
}

static enum err load_key(int fd, const char *path, struct callback_key *key)
{
	char text[KEY_FILE_BYTES_MAX];
	ssize_t n = read(fd, text, sizeof(text));
	if (n < 0)
		return fault("read", path);
	enum err e = rsa_private_parse(slice_of(text, (size_t)n), &key->rsa);
	secret_wipe(text, sizeof(text));
	if (e)
		log_error("callback key: %s is not a private key in PEM form", path);
	return e ? ERR_INTERNAL : ERR_OK;
}

enum err callback_key_open(const char *data, struct callback_key **ret)
{
	SCOPED_STRBUF(path, PATH_BYTES_MAX);
	strbuf_addf(&path, "%s/" KEY_FILE, data);
	struct callback_key *key = calloc(1, sizeof(*key));
	if (!key || strbuf_broken(&path)) {
		free(key);
		return ERR_UNAVAILABLE;
	}
	strbuf_init(&key->public_pem, LIMIT_PUBLIC_KEY_BYTES);
	SCOPED_FD int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
	enum err e;
	if (fd >= 0)
		e = load_key(fd, path.ptr, key);
	else if (errno == ENOENT)
		e = make_key(data, path.ptr, key);
	else
		e = fault("open", path.ptr);
	if (!e)
		e = rsa_private_public_pem(key->rsa, &key->public_pem);
	if (e) {
		callback_key_free(key);
		return e;
	}
	*ret = key;
	return ERR_OK;
}

void callback_key_free(struct callback_key *key)
{
	if (!key)
		return;
	rsa_private_free(key->rsa);
	strbuf_release(&key->public_pem);
	free(key);
}

const struct rsa_private *callback_key_rsa(const struct callback_key *key)
{
	return key->rsa;
}

struct slice callback_key_public_pem(const struct callback_key *key)
{
	return strbuf_slice(&key->public_pem);
}
