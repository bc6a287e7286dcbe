/* SPDX-License-Identifier: Apache-2.0 */
#include "app/checks/clamd.h"

#include "doctor/doctor_internal.h"

static bool is_asked_for(const struct rules *rules)
{
	for (size_t i = 0; i < rules->profile_count; i++)
		if (rules->profiles[i].checks.virus)
			return true;
	return false;
}

/* From here: the application server may be elsewhere, but it has this configuration. */
void doctor_check_clamd(struct doctor *d)
{
	char text[256];
	atomic_bool stopping = false;
	struct clamd clamd = {.fd = -1,
		.deadline_ms = clock_monotonic_ms() + LIMIT_DOCTOR_MS,
		.stopping = &stopping};
	if (!is_asked_for(d->settings.rules))
		return;
	if (clamd_version(&clamd, &d->settings.rules->clamd, text, sizeof(text)))
		report_add(d->report, FINDING_OK, "clamd", NULL, "%s answers as %s",
			d->options->app->clamd, text);
	else
		report_add(d->report, FINDING_FAILED, "clamd",
			"start clamd, or correct [app] clamd; its socket must be open to postern's "
			"user",
			"%s cannot be asked for viruses: %s.", d->options->app->clamd, text);
}
