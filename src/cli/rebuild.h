/* SPDX-License-Identifier: Apache-2.0 */
/* `postern rebuild`: makes the index of a data folder anew from its log. */
#ifndef CLI_REBUILD_H
#define CLI_REBUILD_H

/* The exit status. */
int cli_rebuild(int argc, char **argv);

#endif
