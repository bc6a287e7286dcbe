/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events/inbox.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

bool inbox_init(struct inbox *inbox)
{
	*inbox = (struct inbox){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	inbox->last = &inbox->first;
	(void)pthread_mutex_init(&inbox->lock, NULL);
	if (inbox->fd < 0)
		log_error("events: no descriptor: %s", strerror(errno));
	return inbox->fd >= 0;
}

void inbox_release(struct inbox *inbox)
{
	if (inbox->fd >= 0)
		(void)close(inbox->fd);
	(void)pthread_mutex_destroy(&inbox->lock);
}

/* A counter that is full is readable, too. */
static void wake(struct inbox *inbox)
{
	const uint64_t one = 1;
	ssize_t written = write(inbox->fd, &one, sizeof(one));
	(void)written;
}

void inbox_add(struct inbox *inbox, struct target_delivery *delivery)
{
	delivery->next_ = NULL;
	(void)pthread_mutex_lock(&inbox->lock);
	bool stopped = inbox->stopped;
	if (!stopped) {
		*inbox->last = delivery;
		inbox->last = &delivery->next_;
	}
	(void)pthread_mutex_unlock(&inbox->lock);
	if (stopped)
		target_end(delivery, TARGET_STOPPED, "stopped");
	else
		wake(inbox);
}

void inbox_stop(struct inbox *inbox)
{
	(void)pthread_mutex_lock(&inbox->lock);
	inbox->stopped = true;
	(void)pthread_mutex_unlock(&inbox->lock);
	wake(inbox);
}

struct target_delivery *inbox_take(struct inbox *inbox, bool *ret_stopped)
{
	uint64_t count;
	ssize_t got = read(inbox->fd, &count, sizeof(count));
	(void)got;
	(void)pthread_mutex_lock(&inbox->lock);
	struct target_delivery *ret = inbox->first;
	inbox->first = NULL;
	inbox->last = &inbox->first;
	*ret_stopped = inbox->stopped;
	(void)pthread_mutex_unlock(&inbox->lock);
	return ret;
}
