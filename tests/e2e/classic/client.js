// SPDX-License-Identifier: Apache-2.0
// Does what the classic upload page does, as far as a server can notice: asks for the token in
// a blocking request when the old one has less than three seconds to live, reads it as an
// expression, and lets plupload post the fields in the classic order.
/* global plupload */
"use strict";

const ALPHABET = "ABCDEFGHJKMNPQRSTWXYZabcdefhijkmnprstwxyz2345678";
const serverUrl = document.body.dataset.server;
let token = { expire: 0 };

function refreshToken() {
	if (Number.parseInt(token.expire, 10) >= Math.floor(Date.now() / 1000) + 3)
		return;
	const request = new XMLHttpRequest();
	request.open("GET", serverUrl, false);
	request.send(null);
	token = (0, eval)(`(${request.responseText})`);
}

function keyFor(name) {
	if (document.querySelector("[name=myradio]:checked").value === "local_name")
		return `${token.dir}\${filename}`;
	let random = "";
	for (let i = 0; i < 10; i++)
		random += ALPHABET.charAt(Math.floor(Math.random() * ALPHABET.length));
	const dot = name.lastIndexOf(".");
	return token.dir + random + (dot < 0 ? "" : name.slice(dot));
}

function setParameters(uploader, key) {
	uploader.setOption({
		url: token.host,
		multipart_params: {
			key,
			policy: token.policy,
			OSSAccessKeyId: token.accessid,
			success_action_status: "200",
			callback: token.callback,
			signature: token.signature,
		},
	});
}

function tell(text) {
	document.getElementById("console").append(`${text}\n`);
}

const uploader = new plupload.Uploader({
	runtimes: "html5",
	browse_button: "selectfiles",
	container: document.getElementById("container"),
	url: "http://oss.aliyuncs.com",
	filters: {
		mime_types: [
			{ title: "Images", extensions: "jpg,gif,png,bmp" },
			{ title: "Archives", extensions: "zip,rar" },
		],
		max_file_size: "10mb",
		prevent_duplicates: true,
	},
	init: {
		PostInit() {
			document.getElementById("postfiles").onclick = () => {
				refreshToken();
				setParameters(uploader, token.dir);
				uploader.start();
			};
		},
		FilesAdded(_, files) {
			for (const file of files) {
				const line = document.createElement("p");
				line.id = file.id;
				line.textContent = file.name;
				document.getElementById("ossfile").append(line);
			}
		},
		BeforeUpload(up, file) {
			setParameters(up, keyFor(file.name));
		},
		UploadProgress(_, file) {
			document.getElementById(file.id).dataset.percent = file.percent;
		},
		FileUploaded(up, file, info) {
			const { key } = up.getOption("multipart_params");
			const name = key.replace("${filename}", () => file.name);
			if (info.status === 200)
				tell(`uploaded ${name} answer: ${info.response}`);
			else if (info.status === 203)
				tell(`uploaded ${name} but the callback failed: ${info.response}`);
			else
				tell(`odd answer ${info.status}: ${info.response}`);
		},
		Error(_, error) {
			tell(error.response ? `Error xml:${error.response}` : `Error ${error.code}`);
		},
	},
});
uploader.init();
