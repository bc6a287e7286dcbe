// SPDX-License-Identifier: Apache-2.0
// One way to upload, once: in a page of its own.

/** In the page. A frame is late if the one before it was shown more than 50 ms ago. */
async function run({ prefix, count, size }) {
	const files = Array.from({ length: count }, (_, i) => new File([`${i} `.padEnd(size, "x")], `${prefix}-${i}.txt`,
		{ type: "text/plain" }));
	const { bench } = globalThis;
	await bench.prepare?.(files);
	const seen = { late: 0, longest: 0, tasks: 0 };
	new PerformanceObserver(list => {
		seen.tasks += list.getEntries().length;
	}).observe({ type: "longtask" });
	let last = performance.now();
	let watching = true;
	const frame = now => {
		seen.late += now - last > 50;
		seen.longest = Math.max(seen.longest, now - last);
		last = now;
		if (watching)
			requestAnimationFrame(frame);
	};
	await new Promise(requestAnimationFrame);
	last = performance.now();
	requestAnimationFrame(frame);
	const begun = performance.now();
	await bench.add(files);
	await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
	const added = performance.now() - begun;
	const start = performance.now();
	const done = await bench.send();
	const sent = performance.now() - start;
	await new Promise(requestAnimationFrame);
	watching = false;
	return { done, added, rate: count / sent * 1000, ...seen };
}

/**
 * @param {import("playwright-core").Browser} browser
 * @param {{app: string, page: string}} server
 * @param {(typeof import("./ways.mjs").WAYS)[number]} way
 * @param {{prefix: string, count: number, size: number}} files
 * @param {number} seconds after which it is given up: null
 */
export async function measure(browser, server, way, files, seconds) {
	const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1000, height: 800 } });
	try {
		const page = await context.newPage();
		await page.goto(way.page ? server.page : `${server.app}/nothing`);
		if (way.page)
			await page.getByText(/^(Types|At least|Up to)/).waitFor();
		else
			await page.setContent("<!DOCTYPE html><title>bench</title>");
		for (const path of way.styles ?? [])
			await page.addStyleTag({ path });
		for (const path of way.scripts ?? [])
			await page.addScriptTag({ path });
		await page.evaluate(/** @type {any} */ (way.open), way.given);
		const result = page.evaluate(run, files);
		result.catch(() => {});
		let timer;
		const late = new Promise(done => {
			timer = setTimeout(done, seconds * 1000, null);
		});
		const sample = await Promise.race([result, late]);
		clearTimeout(timer);
		if (sample && sample.done !== files.count)
			throw new Error(`${way.name}: ${sample.done} of ${files.count} files arrived`);
		return sample;
	} finally {
		await context.close();
	}
}
