/* SPDX-License-Identifier: Apache-2.0 */
/* Copies an SQLite database that another process may be writing to, as of one moment. */
#ifndef BACKUP_DATABASE_H
#define BACKUP_DATABASE_H

#include "base/compiler.h"
#include "base/err.h"

/*
 * From the file `from` to the file `to`, which is empty or not there, and checks the copy, which is
 * one file, durable. Logs why on failure.
 */
enum err database_copy(const char *from, const char *to) MUST_USE;

#endif
