// SPDX-License-Identifier: Apache-2.0
// Numbers of the operations port.
import assert from "node:assert/strict";
import { send } from "./oss.js";

/**
 * The sum of a metric, whose name is given without its `postern_`, over all of its lines that have these labels.
 * 0 if there are none.
 * @param {{ console: string }} server
 * @param {string} name
 * @param {Record<string, string>} [labels]
 */
export async function metric(server, name, labels = {}) {
	const { text } = await send(`${server.console}/metrics`);
	assert.match(text, new RegExp(`^# TYPE postern_${name} `, "m"));
	const lines = [...text.matchAll(/^postern_(\w+)(?:\{(.*)\})? (\d+)$/gm)];
	const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
	return lines.filter(([, of, has = ""]) => of === name && wanted.every(label => has.split(",").includes(label)))
		.reduce((sum, [, , , value]) => sum + Number(value), 0);
}

/** Uploads that callbacks have told of and that were recorded. */
export const recorded = server => metric(server, "app_grants_total", { outcome: "confirmed" });
