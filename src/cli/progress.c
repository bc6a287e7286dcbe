/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

enum {
	BAR_WIDTH = 40
};

void progress_init(struct progress *progress)
{
	*progress = (struct progress){.shows = isatty(STDERR_FILENO) != 0, .percent = -1};
}

void progress_leave(struct progress *progress)
{
	if (progress->percent >= 0 && progress->percent < 100)
		fprintf(stderr, "\n");
	progress->percent = -1;
}

void progress_show(struct progress *progress, const char *of, uint64_t done, uint64_t total)
{
	char bar[BAR_WIDTH + 1];
	int percent = total ? (int)((double)done / (double)total * 100) : 100;
	percent = percent > 100 ? 100 : percent;
	if (!progress->shows || (of == progress->of && percent == progress->percent))
		return;
	if (of != progress->of)
		progress_leave(progress);
	progress->of = of;
	progress->percent = percent;
	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < percent * BAR_WIDTH / 100 ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %3d %% of %s", bar, percent, of);
	if (percent == 100)
		fprintf(stderr, "\n");
}
