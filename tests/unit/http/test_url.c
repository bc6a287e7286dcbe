/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include <string.h>

#include "tap.h"

static const struct {
	const char *text;
	bool tls;
	const char *origin, *authority, *rest, *target, *path;
} rows[] = {
	{"http://a", false, "http://a", "a", "", "", ""},
	{"https://a:1/", true, "https://a:1", "a:1", "/", "/", "/"},
	{"HTTPS://A/b?c=d#e", true, "HTTPS://A", "A", "/b?c=d#e", "/b?c=d", "/b"},
	{"http://u:p@[::1]:80?q/r", false, "http://u:p@[::1]:80", "u:p@[::1]:80", "?q/r", "?q/r",
		""},
	{"http://a#/b?c", false, "http://a", "a", "#/b?c", "", ""},
	{"http:///b", false, "http://", "", "/b", "/b", "/b"},
	{"http://a/b?back=https://c#d", false, "http://a", "a", "/b?back=https://c#d",
		"/b?back=https://c", "/b"},
	{"http://", false, "http://", "", "", "", ""},
};

static void splitting(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url url;
		if (!url_split(slice_str(rows[i].text), &url)) {
			OK(false, "%s is a URL", rows[i].text);
			continue;
		}
		OK(url.tls == rows[i].tls, "%s: its scheme", rows[i].text);
		IS(url.origin, slice_str(rows[i].origin), "origin");
		IS(url.authority, slice_str(rows[i].authority), "authority");
		IS(url.rest, slice_str(rows[i].rest), "rest");
		IS(url.target, slice_str(rows[i].target), "target");
		IS(url.path, slice_str(rows[i].path), "path");
	}
}

static void refusing(void)
{
	static const char *const bad[] = {"", "a", "/a", "a:80/http://", "http", "http:", "http:/a",
		"http:a", "//a", "://a", "ftp://a", "xhttp://a", "httpss://a", " http://a",
		"a/http://b", "?http://b", "http/://a"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct url url;
		OK(!url_split(slice_str(bad[i]), &url), "refuses `%s`", bad[i]);
	}
	struct url url;
	OK(!url_split(S("http\0://a"), &url), "refuses a NUL in the scheme");
}

static void schemes(void)
{
	size_t end;
	OK(url_has_scheme(S("ftp://a"), &end) && end == 6, "any scheme is one");
	OK(!url_has_scheme(S("a/b?c=http://d"), &end), "one in a query is not the URL's");
	OK(!url_has_scheme(S("://a"), &end), "nor is none");
}

/* Where requests can be sent, and what is told of the rest. */
static void requests(void)
{
	static const struct {
		const char *text, *fault;
	} cases[] = {
		{"http://a", NULL},
		{"https://my_app.example:8443/e?token=x@y#z", NULL},
		{"http://[::1]:80/", NULL},
		{"http://[::1]", NULL},
		{"http://a/\xc3\xa9", NULL},
		{"http://u:p@h/e", "user name or password"},
		{"http://u@h", "user name or password"},
		{"http://h/a b", "%20"},
		{"http://h /", "%20"},
		{" http://h/", "%20"},
		{"http://h/\x7f", "control"},
		{"h/e", "http or https"},
		{"ftp://h/", "http or https"},
		{"http://", "a host"},
		{"http:///e", "a host"},
		{"http://:80/e", "a host"},
		{"http://h:65536/", "port"},
		{"http://h:0/", "port"},
		{"http://h:x/", "port"},
		{"http://[::1]:99999/", "port"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *fault = url_request_fault(slice_str(cases[i].text));
		OK(cases[i].fault ? fault && strstr(fault, cases[i].fault) : !fault, "`%s`: %s",
			cases[i].text, fault ? fault : "no fault");
	}
}

int main(void)
{
	requests();
	splitting();
	refusing();
	schemes();
	return tap_done();
}
