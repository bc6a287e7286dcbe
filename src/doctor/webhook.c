/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/doctor_internal.h"

/* By HEAD, so that the back end takes it for nothing. */
void doctor_check_webhook(struct doctor *d)
{
	struct slice url = d->settings.rules->webhook_url;
	struct slice shown = doctor_without_query(url);
	if (url.len == 0)
		return;
	struct outgoing_request request = {.url = url.ptr, .method = OUTGOING_HEAD};
	asker_ask(&d->asker, &request);
	if (request.kind != OUTGOING_ANSWERED)
		report_add(d->report, FINDING_FAILED, "webhook",
			"start the back end, or correct [app] webhook_url",
			"%.*s does not answer: %s.", SLICE_FMT(shown),
			request.fault ? request.fault : "no reason is known");
	else if (request.status >= 500 || request.status == 404)
		report_add(d->report, FINDING_WARNING, "webhook",
			"see whether the URL is right and the back end in order",
			"%.*s answers with status %d to HEAD.", SLICE_FMT(shown), request.status);
	else
		report_add(d->report, FINDING_OK, "webhook", NULL,
			"%.*s answers (to HEAD, with status %d)", SLICE_FMT(shown), request.status);
	outgoing_request_release(&request);
}
