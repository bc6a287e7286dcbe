// SPDX-License-Identifier: Apache-2.0
// The upload page, as a person uses it.
import { openPage } from "./browser.js";

export async function openUploadPage(t, browser, server, options) {
	const page = await openPage(t, browser, null, options);
	return Object.assign(new UploadPage(page, server), { browser });
}

class UploadPage {
	/** @type {string[]} "METHOD URL" of every request to the store and of every grant asked for */
	requests = [];

	constructor(page, server) {
		this.page = page;
		this.server = server;
		// From now on choosers come to the test: asked for only when a key is pressed, this is too late.
		page.on("filechooser", () => {});
		page.on("request", request => {
			const url = request.url();
			if (url.startsWith(server.store) || url.endsWith("/grant"))
				this.requests.push(`${request.method()} ${url}`);
		});
	}

	get posts() {
		return this.requests.filter(line => line.startsWith("POST ")).length;
	}

	get grants() {
		return this.requests.filter(line => line.endsWith("/grant")).length;
	}

	/** Loads the page and waits until it knows the limits. */
	async open() {
		await this.page.goto(this.server.page);
		await this.page.getByText(/^(Types|At least|Up to)/).waitFor();
		return this;
	}

	/** By the button, and the dialog it opens. Files are paths or {name, mimeType, buffer}. */
	async choose(...files) {
		const [chooser] = await Promise.all([
			this.page.waitForEvent("filechooser"),
			this.page.getByText("Choose files", { exact: true }).click(),
		]);
		await chooser.setFiles(files);
	}

	/** From outside, as from a folder's window: in Chromium, by paths. */
	async drop(...files) {
		this.session ??= await this.page.context().newCDPSession(this.page);
		for (const type of ["dragEnter", "dragOver", "drop"])
			await this.session.send("Input.dispatchDragEvent",
				{ type, x: 100, y: 100, data: { items: [], files, dragOperationsMask: 1 } });
	}

	async pressUpload() {
		await this.page.getByRole("button", { name: "Upload", exact: true }).click();
	}

	/** The row of a file. */
	row(name) {
		return this.page.locator("#list > li")
			.filter({ has: this.page.locator(".name").getByText(name, { exact: true }) });
	}

	/** Waits until the file's row has come into the state, for as long as its text goes on changing. */
	async become(name, state) {
		const row = this.row(name);
		const reached = row.and(this.page.locator(`[data-state="${state}"]`));
		for (let before = ""; ;) {
			try {
				await reached.waitFor();
				return row;
			} catch (error) {
				const now = await row.innerText();
				if (now === before)
					throw new Error(`${name} did not become ${state}: ${now}`, { cause: error });
				before = now;
			}
		}
	}

	/** Slows the way to the store down to so many bytes a second; -1: as fast as it is. */
	async throttle(bytes) {
		this.session ??= await this.page.context().newCDPSession(this.page);
		await this.session.send("Network.enable");
		await this.session.send("Network.emulateNetworkConditions", {
			offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes,
		});
	}
}

/** A file for choose(), with content of its own. */
export function testFile(name, size = 1000, mimeType = "application/octet-stream") {
	const buffer = Buffer.alloc(size);
	let state = size + [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 1);
	for (let i = 0; i < size; i++) {
		state = (Math.imul(state, 1103515245) + 12345) >>> 0;
		buffer[i] = state >>> 24;
	}
	return { name, mimeType, buffer };
}

/** A PNG of one pixel. */
export const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
	+ "AABJRU5ErkJggg==", "base64");
