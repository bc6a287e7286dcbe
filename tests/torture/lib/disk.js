// SPDX-License-Identifier: Apache-2.0
// A model of a disk with a cache in front of it. It is fed the records of a trace, and gives folders
// as a power cut may leave them.
//
// What is promised is what POSIX and the manual pages of Linux promise, not what one file system
// does besides: fsync() and fdatasync() of a file make its bytes and its size durable, and nothing
// else; fsync() of a folder makes the names in it durable, and nothing else. Of what came after the
// last sync anything may have arrived: each piece of 512 bytes as it was after any of the writes
// to it, the size as it was at any time, names in any combination. A rename is whole, or has not
// happened; so is cutting off the end of a file, with the size.
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Kind, siteOf } from "./trace.js";

const SECTOR = 512;
const WRITE_STEP = 65536;
/** What the recorder leaves alone: place_of() in trace.c. */
const LEFT_ALONE = /^(callbacks\.db|ledger\.db|lock|index[^/]*\/LOG)/;

const zeros = Buffer.alloc(WRITE_STEP);

/** Bytes with a size, which grow. */
class Bytes {
	size = 0;
	#space = Buffer.alloc(0);

	static of(buffer) {
		const bytes = new Bytes();
		bytes.write(0, buffer);
		return bytes;
	}

	copy() {
		return Bytes.of(this.all());
	}

	all() {
		this.#reserve(this.size);
		return this.#space.subarray(0, this.size);
	}

	write(at, buffer) {
		this.#reserve(at + buffer.length);
		buffer.copy(this.#space, at);
		this.size = Math.max(this.size, at + buffer.length);
	}

	zero(at, len) {
		this.#reserve(at + len);
		this.#space.fill(0, at, at + len);
		this.size = Math.max(this.size, at + len);
	}

	/** What is cut off is zeros if it grows again. */
	resize(size) {
		this.#reserve(size);
		if (size < this.size)
			this.#space.fill(0, size, this.size);
		this.size = size;
	}

	#reserve(size) {
		if (size <= this.#space.length)
			return;
		const more = Buffer.alloc(Math.max(size, 2 * this.#space.length, 4096));
		this.#space.copy(more);
		this.#space = more;
	}
}

/** A change of a file: {at, bytes}, {at, len} of zeros, {cut} or {grow}, a size. */
function apply(bytes, change) {
	if (change.bytes)
		bytes.write(change.at, change.bytes);
	else if (change.len !== undefined)
		bytes.zero(change.at, change.len);
	else if (change.cut !== undefined)
		bytes.resize(change.cut);
	else if (change.grow > bytes.size)
		bytes.resize(change.grow);
}

function sizeAfter(size, { at, bytes, len, cut, grow }) {
	if (cut !== undefined)
		return cut;
	return Math.max(size, grow ?? at + (bytes?.length ?? len));
}

class File {
	durable = new Bytes();
	changes = [];
	/** How many changes there have been before `changes`. */
	done = 0;

	add(change) {
		this.changes.push(change);
	}

	get added() {
		return this.done + this.changes.length;
	}

	/** The changes before that number are durable. */
	synced(upTo) {
		while (this.done < upTo) {
			apply(this.durable, this.changes.shift());
			this.done++;
		}
	}

	/** @param {import("./random.js").Random | null} random null: everything arrived */
	left(random, style) {
		const left = this.durable.copy();
		if (!random) {
			this.changes.forEach(change => apply(left, change));
			return left.all();
		}
		const count = this.changes.length;
		if (count === 0)
			return left.all();
		/** How many of the changes a piece, or the size, has seen. */
		const some = () => {
			const what = random.next();
			return what < style.none ? 0 : what < style.none + style.all ? count : random.below(count + 1);
		};
		const sizes = [left.size];
		for (const change of this.changes)
			sizes.push(sizeAfter(sizes.at(-1), change));
		const seen = some();
		const pieces = new Map();
		this.changes.forEach((change, i) => {
			if (change.cut !== undefined && i < seen)
				left.resize(Math.min(change.cut, left.size));
			if (change.at === undefined)
				return;
			const end = change.at + (change.bytes?.length ?? change.len);
			for (let at = change.at; at < end;) {
				const sector = Math.floor(at / SECTOR);
				const to = Math.min(end, (sector + 1) * SECTOR);
				if (!pieces.has(sector))
					pieces.set(sector, some());
				if (i < pieces.get(sector)) {
					if (change.bytes)
						left.write(at, change.bytes.subarray(at - change.at, to - change.at));
					else
						left.zero(at, to - at);
				}
				at = to;
			}
		});
		left.resize(sizes[seen]);
		return left.all();
	}
}

class Folder {
	durable = new Map();
	now = new Map();
}

export class Disk {
	root = new Folder();
	/** Files and folders by their inode. */
	#nodes = new Map();
	/** Changes of names that are not durable, in order: {folders, apply(names), number}. */
	#names = [];
	#namesAdded = 0;
	#syncs = new Map();

	/** With an empty folder of that inode. */
	static empty(inode) {
		const disk = new Disk();
		disk.#nodes.set(inode, disk.root);
		return disk;
	}

	/** With what a folder has, all of it durable. */
	static of(path) {
		const disk = new Disk();
		disk.#load(path, "", disk.root);
		return disk;
	}

	#load(path, under, folder) {
		this.#nodes.set(statSync(path).ino, folder);
		for (const entry of readdirSync(path, { withFileTypes: true })) {
			const name = under + entry.name;
			const whole = join(path, entry.name);
			if (LEFT_ALONE.test(name) || entry.isSocket())
				continue;
			const node = entry.isDirectory() ? new Folder() : new File();
			folder.durable.set(entry.name, node);
			folder.now.set(entry.name, node);
			if (node instanceof Folder) {
				this.#load(whole, `${name}/`, node);
			} else {
				node.durable = Bytes.of(readFileSync(whole));
				this.#nodes.set(statSync(whole).ino, node);
			}
		}
	}

	/**
	 * Feeds the records before `end`.
	 *
	 * @param {Set<string>} [leftOut] syncs that were not asked for, as siteOf() names them
	 */
	feed(records, end = records.length, leftOut = new Set()) {
		for (let i = 0; i < end; i++) {
			if (!leftOut.has(siteOf(records[i])) || records[i].kind !== Kind.SYNC_BEGIN)
				this.#one(records[i]);
		}
	}

	#one({ kind, a, b, c, d, bytes }) {
		const file = this.#nodes.get(a);
		switch (kind) {
		case Kind.CREATE:
			this.#create(a, b, c, bytes.toString());
			return;
		case Kind.UNNAMED:
			this.#nodes.set(b, new File());
			return;
		case Kind.WRITE:
			file?.add({ at: b, bytes });
			return;
		case Kind.ZERO:
			file?.add({ at: b, len: c });
			return;
		case Kind.TRUNCATE:
			file?.add({ cut: b });
			return;
		case Kind.ALLOCATE:
			// FALLOC_FL_KEEP_SIZE; nothing uses another.
			if (d === 0n)
				file?.add({ grow: b + c });
			return;
		case Kind.MKDIR:
			this.#nodes.set(b, new Folder());
			this.#name(a, bytes.toString(), this.#nodes.get(b));
			return;
		case Kind.LINK:
			this.#name(a, bytes.toString(), this.#nodes.get(b));
			return;
		case Kind.UNLINK:
			this.#name(a, bytes.toString(), null);
			return;
		case Kind.RENAME:
			this.#rename(file, this.#nodes.get(b), bytes.toString().split("\0"), c === 1);
			return;
		case Kind.SYNC_BEGIN:
			if (file)
				this.#syncs.set(c, file instanceof File ? file.added : this.#namesAdded);
			return;
		case Kind.SYNC_END:
			this.#synced(file, c);
			return;
		case Kind.ESCAPED:
			throw new Error(`a file was changed in a way that the recorder does not see (inode ${a})`);
		}
	}

	#create(folder, inode, how, name) {
		if (how === 0)
			this.#nodes.set(inode, new File());
		const file = this.#nodes.get(inode);
		if (how === 0)
			this.#name(folder, name, file);
		else if (how & 2)
			file?.add({ cut: 0 });
	}

	#change(folders, run) {
		const change = { folders, run, number: this.#namesAdded++ };
		run(folder => folder.now);
		this.#names.push(change);
	}

	#name(inode, name, node) {
		const folder = this.#nodes.get(inode);
		if (!(folder instanceof Folder) || node === undefined)
			return;
		this.#change([folder], names => {
			if (node)
				names(folder).set(name, node);
			else
				names(folder).delete(name);
		});
	}

	#rename(from, to, [name, toName], exchanged) {
		const node = from?.now.get(name);
		const other = to?.now.get(toName);
		if (!node)
			return;
		this.#change([from, to], names => {
			if (names(from).get(name) === node)
				names(from).delete(name);
			names(to).set(toName, node);
			if (exchanged && other)
				names(from).set(name, other);
		});
	}

	#synced(node, number) {
		const upTo = this.#syncs.get(number);
		if (!node || upTo === undefined)
			return;
		this.#syncs.delete(number);
		if (node instanceof File) {
			node.synced(upTo);
			return;
		}
		this.#names = this.#names.filter(change => {
			if (change.number >= upTo || !change.folders.includes(node))
				return true;
			change.run(folder => folder.durable);
			return false;
		});
	}

	/** All files, with everything that was changed: as filesOf() gives them. */
	files() {
		const files = new Map();
		const add = (folder, under) => {
			for (const [name, node] of folder.now) {
				files.set(under + name + (node instanceof Folder ? "/" : ""), node instanceof Folder ? null : node.left(null));
				if (node instanceof Folder)
					add(node, `${under}${name}/`);
			}
		};
		add(this.root, "");
		return files;
	}

	/**
	 * Makes the folder `path` as a cut leaves it now.
	 *
	 * @param {import("./random.js").Random} random
	 */
	leave(path, random) {
		const style = { none: random.next() / 2, all: random.next() / 2, names: random.next(),
			ordered: random.chance(0.5) };
		const first = style.ordered ? random.below(this.#names.length + 1) : 0;
		const cut = new Map();
		const names = folder => {
			if (!cut.has(folder))
				cut.set(folder, new Map(folder.durable));
			return cut.get(folder);
		};
		this.#names.forEach((change, i) => {
			if (style.ordered ? i < first : random.chance(style.names))
				change.run(names);
		});
		const left = new Map();
		const write = (folder, to) => {
			mkdirSync(to, { recursive: true, mode: 0o700 });
			for (const [name, node] of names(folder)) {
				if (node instanceof Folder) {
					write(node, join(to, name));
				} else {
					if (!left.has(node))
						left.set(node, node.left(random, style));
					writeFile(join(to, name), left.get(node));
				}
			}
		};
		write(this.root, path);
	}
}

/** Zeros are left out. */
function writeFile(path, bytes) {
	const file = openSync(path, "w", 0o600);
	for (let at = 0; at < bytes.length; at += WRITE_STEP) {
		const step = bytes.subarray(at, at + WRITE_STEP);
		if (!step.equals(zeros.subarray(0, step.length)))
			writeSync(file, step, 0, step.length, at);
	}
	ftruncateSync(file, bytes.length);
	closeSync(file);
}

/** What a folder has, as far as the recorder looks: for a comparison. */
export function filesOf(path, under = "") {
	const files = new Map();
	for (const entry of readdirSync(path, { withFileTypes: true })) {
		const name = under + entry.name;
		if (LEFT_ALONE.test(name) || entry.isSocket())
			continue;
		if (entry.isDirectory()) {
			files.set(`${name}/`, null);
			for (const [inner, bytes] of filesOf(join(path, entry.name), `${name}/`))
				files.set(inner, bytes);
		} else {
			files.set(name, readFileSync(join(path, entry.name)));
		}
	}
	return files;
}
