/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Returns results to the thread that asked for them. The asker embeds a task in its own structure;
 * the thread that does the work posts the task to the asker's executor, which runs it on its own
 * thread. Nothing is allocated.
 */
#ifndef BASE_TASK_H
#define BASE_TASK_H

struct task {
	struct task *next; /* the executor's, while posted */
	void (*run)(struct task *task);
};

struct executor {
	/*
	 * From any thread, never blocks, never fails. The task belongs to the executor until
	 * it runs. Tasks posted by one thread run in the order they were posted.
	 */
	void (*post)(struct executor *executor, struct task *task);
};

static inline void executor_post(struct executor *executor, struct task *task)
{
	executor->post(executor, task);
}

#endif
