// SPDX-License-Identifier: Apache-2.0
// The states of an upload, and which may follow which.

/**
 * @typedef {"idle"|"signing"|"sending"|"retrying"|"paused"|"done"|"unconfirmed"|"failed"
 *   |"aborted"} State
 */

/** @type {Readonly<Record<State, readonly State[]>>} */
export const STATES = Object.freeze({
	/** not begun, or waiting for its turn */
	idle: ["signing", "retrying", "paused", "aborted"],
	/** being summed, or waiting for a grant */
	signing: ["sending", "retrying", "failed", "paused", "aborted"],
	/** on its way, or all sent and waiting for the answer; back to signing when the grant expired
	 * or was used up */
	sending: ["signing", "retrying", "done", "unconfirmed", "failed", "paused", "aborted"],
	/** waiting until it is tried again: for some time, or for the network */
	retrying: ["signing", "sending", "failed", "paused", "aborted"],
	/** held by the user */
	paused: ["idle", "aborted"],
	/** stored, and the application server agreed (or there was no callback) */
	done: [],
	/** stored, but the callback failed */
	unconfirmed: ["idle"],
	/** not stored */
	failed: ["idle"],
	/** cancelled by the user */
	aborted: ["idle"],
});

/** @param {State} from @param {State} to */
export function mayFollow(from, to) {
	return STATES[from].includes(to);
}

/** What has ended can begin again, and no more. @param {State} state */
export function isAtRest(state) {
	return STATES[state].every(next => next === "idle");
}
