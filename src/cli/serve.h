/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that serve: `postern serve`, `postern store` and `postern app`. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

/* argv[0] is the command. Each returns the exit status: 0, 1 (a fault) or 2 (usage). */
int cli_serve(int argc, char **argv);
int cli_store(int argc, char **argv);
int cli_app(int argc, char **argv);

#endif
