// SPDX-License-Identifier: Apache-2.0
// The figures of /metrics over the last minutes. They are read while somebody looks at them.

/** @typedef {{time: number, values: Map<string, number>}} Sample */

export const EVERY_MS = 2000;
export const KEPT = 150;

/** Prometheus' text format, without labels. @param {string} text @returns {Map<string, number>} */
export function parseMetrics(text) {
	const values = new Map();
	for (const [, name, value] of text.matchAll(/^([A-Za-z_:][\w:]*)[ \t]+([\d.eE+-]+)[ \t]*$/gm))
		if (Number.isFinite(Number(value)))
			values.set(name, Number(value));
	return values;
}

/**
 * How much a counter grew each second, between each two samples. One that fell was set to 0 by a
 * new start of the server.
 * @param {Sample[]} samples @param {string} name
 */
export function rates(samples, name) {
	return samples.slice(1).map((sample, i) => {
		const before = samples[i];
		const grown = (sample.values.get(name) ?? 0) - (before.values.get(name) ?? 0);
		return grown < 0 ? 0 : grown / ((sample.time - before.time) / 1000);
	});
}

export class Samples extends EventTarget {
	/** @type {Sample[]} */ all = [];
	/** @type {Error | null} */ error = null;

	/** Reads until the signal comes. @param {AbortSignal} signal */
	watch(signal) {
		// One answer at a time: those of a slow server would come together, and out of order.
		let reading = false;
		const read = async () => {
			if (reading || document.hidden)
				return;
			reading = true;
			await this.#read(signal);
			reading = false;
		};
		const timer = setInterval(read, EVERY_MS);
		signal.addEventListener("abort", () => clearInterval(timer));
		read();
	}

	/** @param {AbortSignal} signal */
	async #read(signal) {
		try {
			const response = await fetch("metrics", { cache: "no-store", signal });
			if (!response.ok)
				throw new Error(`/metrics: HTTP ${response.status}`);
			this.all.push({ time: performance.now(), values: parseMetrics(await response.text()) });
			this.all.splice(0, this.all.length - KEPT);
			this.error = null;
		} catch (error) {
			if (signal.aborted)
				return;
			this.error = error instanceof Error ? error : new Error(String(error));
		}
		if (!signal.aborted)
			this.dispatchEvent(new Event("change"));
	}
}
