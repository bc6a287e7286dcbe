/* SPDX-License-Identifier: Apache-2.0 */
/* A loop tells nothing to what went away while it was telling others. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/loop.h"
#include "tap.h"

enum {
	WATCHES = 5
};

struct seen {
	struct loop_watch watch; /* first: the loop hands it back */
	struct loop *loop;
	struct seen **others; /* WATCHES; NULL once they are gone */
	unsigned *told;
};

static void forget(struct seen **at)
{
	loop_forget((*at)->loop, &(*at)->watch);
	free(TAKE(*at));
}

/* The first that is told lets go of all others, which are ready too. */
static void on_ready(struct loop_watch *watch, uint32_t events UNUSED)
{
	struct seen *seen = (struct seen *)(void *)watch;
	++*seen->told;
	for (int i = 0; i < WATCHES; i++)
		if (seen->others[i] && seen->others[i] != seen)
			forget(&seen->others[i]);
}

int main(void)
{
	struct loop loop;
	struct seen *all[WATCHES];
	int fds[WATCHES];
	unsigned told = 0;
	bool ok = loop_init(&loop);
	for (int i = 0; i < WATCHES; i++) {
		fds[i] = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
		all[i] = calloc(1, sizeof(*all[i]));
		if (!all[i])
			abort();
		*all[i] = (struct seen){{on_ready}, &loop, all, &told};
		ok = ok && loop_watch_add(&loop, fds[i], &all[i]->watch);
	}
	OK(ok, "several are ready before the loop starts");
	ok = loop_start(&loop);
	loop_join(&loop);
	OK(ok && told == 1, "only the first is told: it let go of the others");
	int left = 0;
	for (int i = 0; i < WATCHES; i++) {
		left += all[i] != NULL;
		free(all[i]);
		(void)close(fds[i]);
	}
	IS_INT(left, 1, "and it is still there");
	loop_release(&loop);
	return tap_done();
}
