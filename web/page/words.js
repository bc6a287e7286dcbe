// SPDX-License-Identifier: Apache-2.0
// Every text of the upload page: English, Chinese. {0} stands for an argument.
import { EN, ZH, explain } from "../client/texts.js";

/** @type {Record<string, [string, string]>} */
export const WORDS = {
	"title": ["Upload files", "上传文件"],
	"straight": ["Files go straight from this browser to the store.", "文件从浏览器直接上传到存储服务。"],
	"choose": ["Choose files", "选择文件"],
	"chooseFolder": ["Choose a folder", "选择文件夹"],
	"camera": ["Take a photo", "拍照"],
	"drop": ["Drop files and folders anywhere, paste them, or", "将文件、文件夹拖放到页面任意位置，或粘贴，或"],
	"random": ["Store under random names", "使用随机名称保存"],
	"unfinished": ["Not finished", "未完成的上传"],
	"unfinishedHint": ["These were on their way when the page was closed. What has arrived is not sent again.",
		"页面关闭时这些文件正在上传。已上传的部分不会重新发送。"],
	"goOn": ["Go on", "继续上传"],
	"goOnWith": ["Go on with {0}", "继续上传 {0}"],
	"forget": ["Forget", "放弃"],
	"forgetWith": ["Forget {0}", "放弃 {0}"],
	"smaller": ["Make pictures smaller, without their place", "缩小图片，并去除拍摄地点"],
	"clear": ["Clear finished", "清除已完成"],
	"upload": ["Upload", "上传"],
	"list": ["Files", "文件"],
	"total": ["All files", "全部文件"],
	"totalProgress": ["Progress of all files", "全部文件的进度"],
	"pauseAll": ["Pause all", "全部暂停"],
	"resumeAll": ["Resume all", "全部继续"],
	"cancelAll": ["Cancel all", "全部取消"],
	"retryAll": ["Try all again", "全部重试"],
	"otherLanguage": ["中文", "English"],
	"cancel": ["Cancel", "取消"],
	"pause": ["Pause", "暂停"],
	"resume": ["Resume", "继续"],
	"retry": ["Try again", "重试"],
	"sendAgain": ["Send again", "重新发送"],
	"remove": ["Remove", "移除"],
	"raw": ["What the server answered", "服务器的原始应答"],
	"progressOf": ["Progress of {0}", "{0} 的进度"],
	"idle": ["Ready", "就绪"],
	"signing": ["Asking for permission", "正在请求上传许可"],
	"sending": ["Sending, {0} %", "正在上传，{0} %"],
	"waiting": ["Sent, waiting for the answer", "已发送，等待应答"],
	"retrying": ["Trying again in a moment", "稍后自动重试"],
	"offline": ["Waiting for the network, or for another tab", "等待网络恢复，或等待另一个标签页"],
	"paused": ["Paused", "已暂停"],
	"done": ["Uploaded", "上传成功"],
	"unconfirmed": ["Stored, but not confirmed", "已保存，但未确认"],
	"failed": ["Failed", "失败"],
	"aborted": ["Cancelled", "已取消"],
	"storedAs": ["Stored as {0}.", "保存为 {0}。"],
	"answered": ["Stored as {0}. The application server answered:", "保存为 {0}。应用服务器的应答："],
	"cleared": ["Finished files cleared.", "已清除完成的文件。"],
	"added": ["{0} files were added.", "已添加 {0} 个文件。"],
	"allDone": ["{0} files uploaded, {1} not.", "{0} 个文件上传成功，{1} 个未成功。"],
	"sumFiles": ["{0} of {1} files", "{1} 个文件中的 {0} 个"],
	"sumFailed": ["{0} failed", "{0} 个失败"],
	"sumUnconfirmed": ["{0} not confirmed", "{0} 个未确认"],
	"sumBytes": ["{0} of {1}", "{1} 中的 {0}"],
	"speed": ["{0} a second", "每秒 {0}"],
	"seconds": ["{0} s left", "剩余 {0} 秒"],
	"minutes": ["{0} min left", "剩余 {0} 分钟"],
	"hours": ["{0} h left", "剩余 {0} 小时"],
	"types": ["Types: {0}.", "类型：{0}。"],
	"least": ["At least {0} each.", "每个文件不小于 {0}。"],
	"most": ["Up to {0} each.", "每个文件不超过 {0}。"],
	"status": ["status {0}", "状态 {0}"],
	"request": ["request {0}", "请求 {0}"],
};

const PLACE = "postern.language";
let chinese = preferred() === "zh";

function preferred() {
	try {
		const kept = localStorage.getItem(PLACE);
		if (kept === "en" || kept === "zh")
			return kept;
	} catch {
		// A browser that keeps nothing: the language of the browser.
	}
	return navigator.language.startsWith("zh") ? "zh" : "en";
}

/** @param {string} name @param {...(string | number)} args */
export function t(name, ...args) {
	const words = WORDS[name];
	if (!words)
		throw new Error(`there is no text ${name}`);
	return words[Number(chinese)].replace(/\{(\d)\}/g, (_, index) => String(args[Number(index)] ?? ""));
}

/** An error in this language. @param {import("../client/errors.js").UploadError} error */
export function tError(error) {
	return explain(error, chinese ? ZH : EN);
}

/** Puts the texts into the elements that name them. @param {ParentNode} root */
export function fillTexts(root) {
	for (const node of root.querySelectorAll("[data-t]"))
		node.textContent = t(node.getAttribute("data-t") ?? "");
	for (const node of root.querySelectorAll("[data-t-label]"))
		node.setAttribute("aria-label", t(node.getAttribute("data-t-label") ?? ""));
}

export function showLanguage() {
	document.documentElement.lang = chinese ? "zh-CN" : "en";
	document.title = t("title");
	fillTexts(document);
}

export function otherLanguage() {
	chinese = !chinese;
	try {
		localStorage.setItem(PLACE, chinese ? "zh" : "en");
	} catch {
		// Until the page is left, then.
	}
	showLanguage();
}
