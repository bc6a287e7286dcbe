/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/app_metrics.h"

#include <inttypes.h>

#include "app/outcomes.h"
#include "cli/metric.h"

static void add_event_metrics(const struct events_stats *events, struct strbuf *out)
{
	if (events->counted) {
		metric(out, "app_events_waiting", "gauge", "Events that are not delivered yet.",
			events->waiting);
		metric(out, "app_events_oldest_seconds", "gauge", "Age of the oldest of them.",
			events->oldest_seconds);
		metric(out, "app_events_dead", "gauge", "Dead letters: events that were given up.",
			events->dead_letters);
	}
	metric(out, "app_events_delivered_total", "counter", "Events delivered.",
		events->delivered);
	metric(out, "app_events_failed_total", "counter", "Deliveries that failed.",
		events->failed);
	metric(out, "app_events_given_up_total", "counter", "Events that became dead letters.",
		events->dead);
	metric(out, "app_events_dropped_total", "counter",
		"Events that were not written down: there were events_max.", events->dropped);
}

static void add_verdicts(
	struct strbuf *out, const char *check, const struct app_check_verdicts *verdicts)
{
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {{"passed", verdicts->passed}, {"refused", verdicts->refused},
		{"unknown", verdicts->unknown}, {"late", verdicts->late}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		strbuf_addf(out, "postern_app_checks_total{check=\"%s\",verdict=\"%s\"} %llu\n",
			check, rows[i].name, (unsigned long long)rows[i].count);
}

static void add_check_metrics(const struct app_check_stats *checked, struct strbuf *out)
{
	metric_begin(out, "app_checks_total", "counter", "Checks of uploads, by verdict.");
	add_verdicts(out, "object", &checked->object);
	add_verdicts(out, "type", &checked->type);
	add_verdicts(out, "virus", &checked->virus);
}

/* What has not happened yet is there, too: what is not there cannot rise. */
static void add_grants(const struct outcomes *outcomes, struct strbuf *out)
{
	metric_begin(out, "app_grants_total", "counter", "Grants, by profile and outcome.");
	for (size_t at = 0; at < outcomes_profiles(outcomes); at++) {
		struct outcomes_of_profile of;
		outcomes_of(outcomes, at, &of);
		for (size_t i = 0; i < OUTCOMES; i++)
			strbuf_addf(out,
				"postern_app_grants_total{profile=\"%s\",outcome=\"%s\"} %" PRIu64
				"\n",
				of.profile, grant_outcome_names[i], of.counts[i]);
	}
}

static void add_callbacks(const struct outcomes *outcomes, struct strbuf *out)
{
	metric_begin(out, "app_callbacks_total", "counter", "Callbacks received, by verdict.");
	for (size_t i = 0; i < CALLBACK_VERDICTS; i++)
		strbuf_addf(out, "postern_app_callbacks_total{verdict=\"%s\"} %" PRIu64 "\n",
			callback_verdict_names[i],
			outcomes_callbacks(outcomes, (enum callback_verdict)i));
}

static void add_denials(const struct outcomes *outcomes, struct strbuf *out)
{
	metric_begin(out, "app_denied_total", "counter",
		"Requests that were not let in, by what was in the way.");
	for (size_t i = 0; i < DENIALS; i++)
		strbuf_addf(out, "postern_app_denied_total{by=\"%s\"} %" PRIu64 "\n",
			denial_names[i], outcomes_denials(outcomes, (enum denial)i));
}

void add_app_metrics(const struct app *from, struct strbuf *out)
{
	struct app_stats app;
	app_stats(from, &app);
	add_grants(app.outcomes, out);
	add_callbacks(app.outcomes, out);
	add_denials(app.outcomes, out);
	metric(out, "app_grants_unwritten_total", "counter",
		"Grants that were given and not written down: there were grants_max, or a fault.",
		app.unwritten);
	metric(out, "app_duplicates_total", "counter",
		"Files that were not to be sent: the same subject had uploaded them.",
		app.duplicates);
	metric(out, "app_uploads_aborted_total", "counter",
		"Uploads in parts that were not finished in time.", app.aborted);
	metric(out, "app_credentials_valid", "gauge", "1: there are credentials to sign with.",
		app.credentials.valid);
	metric(out, "app_credentials_expire_seconds", "gauge",
		"Unix time at which the credentials end; 0: they do not, or there are none.",
		(uint64_t)app.credentials.expires);
	metric(out, "app_credentials_refreshed_total", "counter",
		"How often other credentials came.", app.credentials.refreshed);
	metric(out, "app_credentials_failed_total", "counter",
		"Attempts to get credentials that failed.", app.credentials.failed);
	metric(out, "app_ledger_reachable", "gauge",
		"0: the ledger's database cannot be reached; the log says why.",
		app.ledger.reachable);
	metric(out, "app_ledger_leads", "gauge",
		"1: of the copies that share the ledger this one asks the store and delivers "
		"events.",
		app.ledger.leads);
	metric(out, "app_parts", "gauge", "0: the key may not do what uploads in parts need.",
		app.parts_forbidden == NULL);
	add_event_metrics(&app.events, out);
	if (app.checks)
		add_check_metrics(&app.checked, out);
	metric(out, "app_confirms", "gauge", "1: the store is asked whether an upload took place.",
		app.confirms);
}
