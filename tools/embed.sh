#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints C source with the files of a folder: the table behind web/assets.h.
set -eu
folder=$1
echo '/* Made by tools/embed.sh. */'
echo '#include "web/assets.h"'
table=$(mktemp)
trap 'rm -f "$table"' EXIT
n=0
for file in $(cd "$folder" && find . -type f | sed 's|^\./||' | LC_ALL=C sort); do
	echo "static const unsigned char bytes_$n[] = {"
	od -An -v -tu1 "$folder/$file" | sed 's/  */,/g; s/^,//; s/$/,/'
	echo '0};'
	tag=$(sha256sum "$folder/$file" | cut -c 1-16)
	echo "	{\"$file\", \"$tag\", bytes_$n, sizeof(bytes_$n) - 1}," >> "$table"
	n=$((n + 1))
done
echo 'const struct asset assets[] = {'
cat "$table"
echo '	{NULL, NULL, NULL, 0}};'
