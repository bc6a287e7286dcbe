// SPDX-License-Identifier: Apache-2.0
// A small line over time.
import { svg } from "./dom.js";

const WIDTH = 300;
const HEIGHT = 64;

/**
 * @param {number} points how many fit; fewer stand at the right
 * @returns {{node: Element, draw: (values: number[]) => void}} values from 0 on
 */
export function chart(points) {
	const area = svg("path", { class: "area" });
	const line = svg("path", { class: "line" });
	// What it shows stands beside it in words.
	const node = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
	node.append(area, line);
	return {
		node,
		draw(values) {
			const top = Math.max(...values, 1e-9) * 1.1;
			const left = WIDTH * (1 - (values.length - 1) / (points - 1));
			const places = values.map((value, i) => [left + WIDTH * i / (points - 1), HEIGHT - 1 - (HEIGHT - 2) * value / top]);
			const path = places.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
			line.setAttribute("d", values.length > 1 ? path : "");
			area.setAttribute("d", values.length > 1 ? `${path}L${WIDTH} ${HEIGHT}L${left.toFixed(1)} ${HEIGHT}Z` : "");
		},
	};
}
