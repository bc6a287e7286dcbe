/* SPDX-License-Identifier: Apache-2.0 */
/* `postern doctor`: checks a deployment with the configuration of its application server. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

/* argv[0] is the command. Returns the exit status: 0 (all well), 1 (warnings) or 2 (failures). */
int cli_doctor(int argc, char **argv);

#endif
