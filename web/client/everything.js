// SPDX-License-Identifier: Apache-2.0
// All of the library: for a <script> that is no module, where it is called PosternUpload.
export * from "./batch.js";
export * from "./checks.js";
export * from "./dropped.js";
export * from "./duplicates.js";
export * from "./handles.js";
export { filepondServer } from "./filepond.js";
export * from "./multipart.js";
export * from "./pictures.js";
export * from "./postern-upload.js";
export * from "./proof.js";
export * from "./resume.js";
export { PosternUppy } from "./uppy.js";
export * from "./settle.js";
export { EN, ZH, explain } from "./texts.js";
export { formatSize } from "./format.js";
