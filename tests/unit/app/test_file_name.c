/* SPDX-License-Identifier: Apache-2.0 */
#include "app/text/file_name.h"

#include "base/limits.h"
#include "tap.h"

static void splits(const char *text, const char *want_name, const char *want_ext)
{
	SCOPED_STRBUF(name, 1024);
	SCOPED_STRBUF(ext, 1024);
	file_name_split(slice_str(text), &name, &ext);
	IS(strbuf_slice(&name), slice_str(want_name), text);
	IS(strbuf_slice(&ext), slice_str(want_ext), want_ext);
}

int main(void)
{
	splits("cat.png", "cat", ".png");
	splits("CAT.PNG", "CAT", ".png");
	splits("C:\\fakepath\\cat.jpeg", "cat", ".jpeg");
	splits("a/b/../cat", "cat", "");
	splits("archive.tar.gz", "archive.tar", ".gz");
	splits(".profile", ".profile", "");
	splits("end.", "end.", "");
	splits("x.not an extension", "x.not an extension", "");
	splits("x.12345678901234567", "x.12345678901234567", "");
	splits("", "file", "");
	splits("..", "file", "");
	splits("/", "file", "");
	splits("a$b\x01\x7f\xc2\x80\xff.txt", "a_b_____", ".txt");
	splits("J\xc3\xb6rg.txt", "J\xc3\xb6rg", ".txt");
	char text[600];
	SCOPED_STRBUF(name, 1024);
	SCOPED_STRBUF(ext, 1024);
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 5, ".txt", 5);
	file_name_split(slice_str(text), &name, &ext);
	IS_INT(name.len + ext.len, LIMIT_FILE_NAME_BYTES,
		"a long name is cut, its extension is not");
	return tap_done();
}
