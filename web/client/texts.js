// SPDX-License-Identifier: Apache-2.0
// What a person in front of the page is told of an error, and what can be done: English, Chinese.
// Other languages give explain() a table of the same shape.
import { formatSize } from "./format.js";

/** @typedef {import("./errors.js").UploadError} UploadError */
/** @typedef {{message?: string, advice: string}} Text {0}, {1} stand for facts */

/** @type {Record<string, Text>} */
export const EN = {
	"grant.0": {
		message: "The application server cannot be reached.",
		advice: "Check that the application server runs at {url} and, if this page comes from another "
			+ "address, that it permits this page's origin.",
	},
	"grant.401": { advice: "Sign in, then try again." },
	"grant": { advice: "Try again later, and look into the application server's log." },
	"network": { advice: "Check your connection, that the store runs at {url}, and that the page's "
		+ "Content-Security-Policy and the extensions of this browser permit it. Then try again." },
	"network.RequestTimeout": { advice: "The connection was too slow or stood still. Try again." },
	"stalled": {
		advice: "The connection stands still. Try again, or from another network.",
	},
	"mixed": {
		advice: "This page is secure (https) but the store at {url} is not: browsers forbid that. Give "
			+ "the store a certificate and use its https address.",
	},
	"cors": {
		advice: "The store answers, so its CORS rules are to blame, or an extension of this browser. "
			+ "Add a rule to the bucket with allowed origin {origin}, allowed method POST (and PUT for "
			+ "large files), allowed headers * and exposed headers ETag, x-oss-request-id and "
			+ "x-oss-hash-crc64ecma. If there is one, try without extensions that block content.",
	},
	"blocked": {
		advice: "The store answers at other addresses, but not at {url}: probably an extension of this "
			+ "browser, such as a content blocker, forbids it. Permit it for this page, or try a private "
			+ "window without extensions.",
	},
	"file": {
		advice: "It was moved, deleted or changed after you chose it. Choose it again.",
	},
	"size.max": { message: "The file is larger than {0}.", advice: "Choose a smaller file." },
	"size.min": { message: "The file is smaller than {0}.", advice: "Is it the right file?" },
	"size.EntityTooLarge": { advice: "The file is too large. Choose a smaller one." },
	"size.EntityTooSmall": { advice: "The file is too small, perhaps empty." },
	"size": { advice: "Choose a file of another size." },
	"type": {
		message: "Files of type {0} are not accepted.",
		advice: "Choose a file of one of these types: {rest}.",
	},
	"type.type_refused": { advice: "Choose a file of another type." },
	"extension": {
		message: "Files whose name ends with {0} are not accepted.",
		advice: "Choose a file whose name ends with one of these: {rest}.",
	},
	"extension.": {
		message: "Files whose name has no extension are not accepted.",
		advice: "Choose a file whose name ends with one of: {rest}.",
	},
	"dimensions.small": {
		message: "The picture has {1} × {2} pixels, which is too small.",
		advice: "Choose one of {3} × {4} pixels or more. Use the original and not a copy from a chat or a "
			+ "web page: those are made smaller.",
	},
	"dimensions.large": {
		message: "The picture has {1} × {2} pixels, which is too large.",
		advice: "Choose one of {3} × {4} pixels or fewer, or make it smaller in a program for pictures.",
	},
	"dimensions": {
		message: "The picture cannot be read.",
		advice: "It is damaged, or this browser does not know its format. Save it as JPEG or PNG and choose "
			+ "that.",
	},
	"expired": {
		advice: "The permission to upload ran out. Try again; if it happens at once, the clocks of the "
			+ "application server and the store differ.",
	},
	"clock": {
		advice: "The clocks of the application server and the store differ by more than 15 minutes. Set "
			+ "them right (NTP); the clock of this computer does not matter.",
	},
	"callback.reach": {
		advice: "The file is safe in the store, but the application server does not know of it. The "
			+ "store could not reach the application server: is it running, and can the store connect "
			+ "to the callback address? Sending the file again makes the store call once more.",
	},
	"callback.slow": {
		advice: "The file is safe in the store, but the application server took longer than five "
			+ "seconds to answer. Sending the file again makes the store call once more.",
	},
	"callback.json": {
		advice: "The file is safe in the store, but the application server's answer to the store was "
			+ "not JSON. Sending the file again makes the store call once more.",
	},
	"callback": {
		advice: "The file is safe in the store, but the application server refused the store's message; "
			+ "its log says why. Sending the file again makes the store call once more.",
	},
	"pending": {
		message: "The file is stored, and is still being checked.",
		advice: "The application server will decide. There is no need to send the file again.",
	},
	"used": {
		advice: "The file is safe in the store, but the permission to upload is used up: the application "
			+ "server takes only so many files with one. Send the file again.",
	},
	"policy.key": {
		advice: "The name under which the file would be stored is not permitted: {0}. Rename the file, "
			+ "or change what the application server permits.",
	},
	"policy.content-type": {
		advice: "The type of the file is not permitted: {0}. Choose another file, or change what the "
			+ "application server permits.",
	},
	"policy.size": {
		advice: "The size of the file is not permitted: {0}. Choose another file, or change what the "
			+ "application server permits.",
	},
	"policy": {
		advice: "The form does not satisfy a condition of the application server: {0}. Send the field as "
			+ "it was signed, or change the condition there.",
	},
	"refused.SignatureDoesNotMatch": {
		advice: "The access key secret of the application server is not the store's, or something "
			+ "between them changes the form. Tell whoever runs the application server.",
	},
	"refused.InvalidAccessKeyId": {
		advice: "The store does not know the application server's access key. Tell whoever runs it.",
	},
	"refused.NoSuchBucket": {
		advice: "The bucket does not exist at this store. Create it, or correct the application "
			+ "server's configuration.",
	},
	"refused.FileAlreadyExists": {
		advice: "The store already has a file of this name. Rename the file, or upload it under a random "
			+ "name.",
	},
	"refused": {
		advice: "The store refused the upload. Show the message above to whoever runs it.",
	},
	"gone": {
		message: "The upload has ended at the server.",
		advice: "Begin again.",
	},
	"damaged": {
		message: "The store received other bytes than were sent.",
		advice: "Something on the way changes files: a proxy, a virus scanner or broken memory. Try "
			+ "again from another network.",
	},
	"server": { advice: "The server has a problem of its own. Try again later." },
};

/** @type {Record<string, Text>} */
export const ZH = {
	"grant.0": {
		message: "无法连接应用服务器。",
		advice: "请确认应用服务器正在 {url} 运行；如果本页面来自其他地址，还需确认它允许本页面的来源。",
	},
	"grant.401": { message: "应用服务器要求登录。", advice: "请登录后重试。" },
	"grant": { message: "未能取得上传许可。", advice: "请稍后重试，并查看应用服务器的日志。" },
	"network": { message: "无法连接存储服务。", advice: "请检查网络，并确认存储服务正在 {url} 运行，且页面的内容安全策略（CSP）和浏览器扩展允许访问，然后重试。" },
	"network.RequestTimeout": { message: "连接超时。", advice: "连接过慢或已停滞，请重试。" },
	"stalled": { message: "传输停滞。", advice: "连接没有任何进展，请重试，或换一个网络。" },
	"mixed": {
		message: "浏览器阻止了上传。",
		advice: "本页面使用 https，而存储服务 {url} 没有使用：浏览器禁止这样做。请为存储服务配置证书，并使用其 https 地址。",
	},
	"cors": {
		message: "浏览器不允许本页面访问存储服务。",
		advice: "存储服务可以访问，问题在于跨域规则（CORS）或浏览器扩展。请为 Bucket 添加规则：来源 {origin}，"
			+ "允许 Methods POST（大文件还需 PUT），允许 Headers *，暴露 Headers ETag、x-oss-request-id 和 "
			+ "x-oss-hash-crc64ecma。如果规则已存在，请停用拦截内容的浏览器扩展后再试。",
	},
	"blocked": {
		message: "浏览器中的某个程序拦截了上传。",
		advice: "存储服务的其他地址可以访问，但 {url} 不行：很可能是浏览器扩展（如广告拦截）所致。"
			+ "请为本页面停用它，或在没有扩展的无痕窗口中重试。",
	},
	"file": { message: "无法读取文件。", advice: "选择之后，文件被移动、删除或修改。请重新选择。" },
	"size.max": { message: "文件大于 {0}。", advice: "请选择更小的文件。" },
	"size.min": { message: "文件小于 {0}。", advice: "请确认选择了正确的文件。" },
	"size.EntityTooLarge": { message: "文件过大。", advice: "文件超过存储服务的上限，请选择更小的文件。" },
	"size.EntityTooSmall": { message: "文件过小。", advice: "文件可能是空的，请确认。" },
	"size": { message: "文件大小不符合要求。", advice: "请选择大小符合要求的文件。" },
	"type": { message: "不接受类型为 {0} 的文件。", advice: "请选择以下类型之一的文件：{rest}。" },
	"type.type_refused": { message: "不接受此类型的文件。", advice: "请选择其他类型的文件。" },
	"extension": {
		message: "不接受扩展名为 {0} 的文件。",
		advice: "请选择扩展名为以下之一的文件：{rest}。",
	},
	"extension.": {
		message: "不接受没有扩展名的文件。",
		advice: "请选择具有以下扩展名之一的文件：{rest}。",
	},
	"dimensions.small": {
		message: "图片为 {1} × {2} 像素，过小。",
		advice: "请选择 {3} × {4} 像素或更大的图片。请使用原图：聊天软件或网页中的图片通常已被缩小。",
	},
	"dimensions.large": {
		message: "图片为 {1} × {2} 像素，过大。",
		advice: "请选择不超过 {3} × {4} 像素的图片，或先用图片工具缩小。",
	},
	"dimensions": {
		message: "无法读取图片。",
		advice: "图片已损坏，或浏览器不支持其格式。请另存为 JPEG 或 PNG 后重新选择。",
	},
	"expired": {
		message: "上传许可已过期。",
		advice: "请重试；如果立即再次出现，说明应用服务器与存储服务的时钟不一致。",
	},
	"clock": {
		message: "服务器时钟不一致。",
		advice: "应用服务器与存储服务的时钟相差超过 15 分钟，请校准（NTP）；与本机时钟无关。",
	},
	"callback.reach": {
		message: "文件已保存，但回调失败。",
		advice: "存储服务无法连接应用服务器：它是否在运行？存储服务能否访问回调地址？重新发送文件会再次触发回调。",
	},
	"callback.slow": {
		message: "文件已保存，但回调超时。",
		advice: "应用服务器超过五秒未应答。重新发送文件会再次触发回调。",
	},
	"callback.json": {
		message: "文件已保存，但回调的应答无效。",
		advice: "应用服务器的应答不是 JSON。重新发送文件会再次触发回调。",
	},
	"callback": {
		message: "文件已保存，但应用服务器拒绝了回调。",
		advice: "原因见应用服务器的日志。重新发送文件会再次触发回调。",
	},
	"pending": {
		message: "文件已保存，仍在检查中。",
		advice: "应用服务器将作出决定，无需重新发送文件。",
	},
	"used": {
		message: "文件已保存，但上传许可已用完。",
		advice: "一份许可只能用于有限数量的文件。请重新发送文件。",
	},
	"policy.key": {
		message: "文件名不被允许。",
		advice: "保存的名称不满足条件 {0}。请重命名文件，或修改应用服务器的许可。",
	},
	"policy.content-type": {
		message: "文件类型不被允许。",
		advice: "文件类型不满足条件 {0}。请选择其他文件，或修改应用服务器的许可。",
	},
	"policy.size": {
		message: "文件大小不被允许。",
		advice: "文件大小不满足条件 {0}。请选择其他文件，或修改应用服务器的许可。",
	},
	"policy": {
		message: "表单不满足 Policy 的条件。",
		advice: "不满足的条件：{0}。请按签名时的内容发送该字段，或修改应用服务器的条件。",
	},
	"refused.SignatureDoesNotMatch": {
		message: "签名不正确。",
		advice: "应用服务器的 AccessKey Secret 与存储服务的不一致，或表单在途中被修改。请告知应用服务器的管理员。",
	},
	"refused.InvalidAccessKeyId": {
		message: "AccessKey ID 不存在。",
		advice: "存储服务不认识应用服务器的 AccessKey。请告知其管理员。",
	},
	"refused.NoSuchBucket": {
		message: "Bucket 不存在。",
		advice: "请创建该 Bucket，或更正应用服务器的配置。",
	},
	"refused.FileAlreadyExists": {
		message: "同名文件已存在。",
		advice: "请重命名文件，或使用随机名称上传。",
	},
	"refused": { message: "存储服务拒绝了上传。", advice: "请将服务器的原始应答告知管理员。" },
	"gone": { message: "上传已在服务器上结束。", advice: "请重新开始上传。" },
	"damaged": {
		message: "存储服务收到的内容与发送的不同。",
		advice: "途中有程序修改了文件：代理、杀毒软件或损坏的内存。请换一个网络重试。",
	},
	"server": { message: "服务器出现故障。", advice: "请稍后重试。" },
};

/**
 * @param {UploadError} error
 * @param {Record<string, Text>} [texts] EN, ZH or one of your own; what it lacks is taken from EN
 * @returns {{message: string, advice: string}}
 */
export function explain(error, texts = EN) {
	const condition = conditionOf(error.message);
	const text = namesOf(error).map(name => texts[name] ?? EN[name]).find(Boolean) ?? { advice: "" };
	const facts = error.kind === "policy" ? [condition]
		: error.kind === "size" ? [formatSize(Number(error.facts[1] ?? 0))] : error.facts;
	/** @type {Record<string, string>} */
	const more = {
		url: error.url,
		origin: globalThis.location?.origin ?? "*",
		rest: error.facts.slice(1).join(", "),
	};
	/** @param {string} words */
	const filled = words => words.replace(/\{(\w+)\}/g, (_, name) => String(more[name] ?? facts[name] ?? ""));
	return { message: filled(text.message ?? error.message), advice: filled(text.advice) };
}

/** From the most exact to the least. @param {UploadError} error */
function namesOf(error) {
	const { kind, code, status, message } = error;
	/** @type {string[]} */ const names = [kind];
	if (kind === "callback") {
		if (/502|-1\.|connect/i.test(message))
			names.unshift("callback.reach");
		else if (/timeout/i.test(message))
			names.unshift("callback.slow");
		else if (/json/i.test(message))
			names.unshift("callback.json");
	} else if (kind === "policy") {
		const field = /\$([\w-]+)/.exec(message)?.[1]?.toLowerCase()
			?? (/content-length-range/.test(message) ? "size" : "");
		names.unshift(`policy.${field}`);
	} else if (kind === "grant") {
		names.unshift(`grant.${status === 403 ? 401 : status}`);
		// An exception of the page's own code has neither status nor address.
		if (status === 0 && !error.url)
			names.shift();
	} else {
		names.unshift(`${kind}.${code || error.facts[0]}`);
	}
	return names;
}

/** The condition that a policy error quotes. @param {string} message */
function conditionOf(message) {
	return /policy condition failed:?\s*(.+?)\.?$/is.exec(message)?.[1] ?? message;
}
