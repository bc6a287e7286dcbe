/* SPDX-License-Identifier: Apache-2.0 */
/* `postern backup` and `postern restore`: copies of a data folder, and a data folder of one. */
#ifndef CLI_BACKUP_H
#define CLI_BACKUP_H

/* The exit status. */
int cli_backup(int argc, char **argv);
int cli_restore(int argc, char **argv);

#endif
