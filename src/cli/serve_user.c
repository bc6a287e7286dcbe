/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the process is going to be, and the data folder, which is to be that user's. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cli/serve_internal.h"

static bool find_named(struct parts *p, const char *name)
{
	if (!user_find(name, &p->user)) {
		log_error("[server] user: there is no user `%s`", name);
		p->bad_option = true;
		return false;
	}
	if (geteuid() != 0 && p->user.id != geteuid()) {
		log_error("[server] user: only root can become `%s`", name);
		p->bad_option = true;
		return false;
	}
	return true;
}

bool serve_find_user(struct parts *p)
{
	struct stat st;
	const char *folder = serve_data_folder(p);
	user_find_self(&p->user);
	if (p->config.server_user[0])
		return find_named(p, p->config.server_user);
	if (geteuid() == 0 && p->config.server_sandbox == SANDBOX_ON && folder &&
		stat(folder, &st) == 0 && st.st_uid != 0)
		user_find_id(st.st_uid, st.st_gid, &p->user);
	return true;
}

static bool is_empty(int fd)
{
	int copy = dup(fd);
	DIR *listing = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	size_t count = 0;
	if (!listing)
		return false;
	while ((entry = readdir(listing)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(listing);
	return count == 0;
}

/* A new folder, or an empty one that root has made, such as a volume of a container. */
static bool hand_over(int fd, const char *path, const struct user *user)
{
	struct stat st;
	if (geteuid() != 0 || user->id == 0)
		return true;
	if (fstat(fd, &st) != 0)
		return false;
	if (st.st_uid == user->id)
		return true;
	if (st.st_uid == 0 && is_empty(fd))
		return fchown(fd, user->id, user->group) == 0;
	log_error("%s is not of the user %s: chown -R %s %s", path, user->name, user->name, path);
	errno = EPERM;
	return false;
}

/* Where it lies may be out of reach later, so its name is made durable now. */
static bool sync_above(int fd)
{
	SCOPED_FD int above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return above < 0 || fsync(above) == 0 || errno == EINVAL;
}

bool serve_prepare_folder(const struct parts *p)
{
	const char *path = serve_data_folder(p);
	if (!path)
		return true;
	bool made = mkdir(path, 0700) == 0;
	SCOPED_FD int fd =
		made || errno == EEXIST ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0 && hand_over(fd, path, &p->user) && (!made || sync_above(fd)))
		return true;
	log_error("cannot make the folder %s: %s", path, strerror(errno));
	return false;
}
