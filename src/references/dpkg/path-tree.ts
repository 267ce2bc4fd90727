// Half a million paths in a few tens of MiB: a tree of names in typed arrays, a node number for each path. Knows nothing
// of what the paths mean; whoever does keeps arrays of its own, indexed by node.

import type { BytePath } from '../../model.ts';
import { childPath } from '../../path.ts';
import { enlarged } from './enlarged.ts';

const FIRST_CAPACITY = 1024;
const FIRST_NAME_BYTES = 16 * 1024;
/** Linux NAME_MAX; a length fits one byte. */
const LONGEST_NAME = 255;
/** More nodes than any real database has; keeps a hostile one within some hundred MiB. */
const MOST_NODES = 8_000_000;

/** No node; also the answer of `find` for a name that is not there. */
export const NO_NODE = -1;

export class PathTree {
  /** The node of "/". */
  readonly root = 0;
  #size = 1;
  #parents = new Uint32Array(FIRST_CAPACITY);
  /** Of (parent, name). */
  #hashes = new Int32Array(FIRST_CAPACITY);
  #nameStarts = new Uint32Array(FIRST_CAPACITY);
  #nameLengths = new Uint8Array(FIRST_CAPACITY);
  /** Newest child and the one added before it; 0 ends the chain (the root is nobody's child). */
  #firstChildren = new Uint32Array(FIRST_CAPACITY);
  #nextSiblings = new Uint32Array(FIRST_CAPACITY);
  #names = new Uint8Array(FIRST_NAME_BYTES);
  #namesEnd = 0;
  /** Open addressing by (parent, name); 0 is free. */
  #slots = new Uint32Array(FIRST_CAPACITY * 2);

  /** Nodes are numbered 0 .. size - 1 in the order of their making. */
  get size(): number {
    return this.#size;
  }

  hasChildren(node: number): boolean {
    return this.#firstChildren[node] !== 0;
  }

  /** The child of that name, or NO_NODE. */
  find(parent: number, name: BytePath): number {
    const node = this.#slots[this.#slotOf(parent, name, hashOf(parent, name))] ?? 0;
    return node === 0 ? NO_NODE : node;
  }

  /** The child of that name, made if need be; NO_NODE when the name is too long or the tree is full. */
  child(parent: number, name: BytePath): number {
    const known = this.find(parent, name);
    if (known !== NO_NODE) return known;
    if (name.length > LONGEST_NAME || this.#size >= MOST_NODES) return NO_NODE;
    return this.#add(parent, name);
  }

  /** The path's node, made with all its ancestors if need be; NO_NODE as for `child`. Components are taken as they are. */
  place(path: BytePath): number {
    let node = this.root;
    for (const name of path.split('/')) {
      if (name !== '' && node !== NO_NODE) node = this.child(node, name);
    }
    return node;
  }

  /** Every node but the root, in tree order. */
  *walk(): Iterable<{ readonly node: number; readonly path: BytePath }> {
    const stack = [{ path: '/', children: this.#sortedChildren(this.root), next: 0 }];
    for (let top = stack[0]; top !== undefined; top = stack[stack.length - 1]) {
      const child = top.children[top.next++];
      if (child === undefined) {
        stack.pop();
        continue;
      }
      const path = childPath(top.path, child.name);
      yield { node: child.node, path };
      if (this.hasChildren(child.node)) stack.push({ path, children: this.#sortedChildren(child.node), next: 0 });
    }
  }

  #sortedChildren(parent: number): { readonly node: number; readonly name: BytePath }[] {
    const children = [];
    for (let node = this.#firstChildren[parent] ?? 0; node !== 0; node = this.#nextSiblings[node] ?? 0) {
      children.push({ node, name: this.#nameOf(node) });
    }
    return children.sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  #nameOf(node: number): BytePath {
    const start = this.#nameStarts[node] ?? 0;
    return Buffer.from(this.#names.buffer, start, this.#nameLengths[node] ?? 0).toString('latin1');
  }

  #add(parent: number, name: BytePath): number {
    this.#makeRoom(name.length);
    const node = this.#size++;
    const hash = hashOf(parent, name);
    this.#slots[this.#slotOf(parent, name, hash)] = node;
    this.#hashes[node] = hash;
    this.#parents[node] = parent;
    this.#nameStarts[node] = this.#namesEnd;
    this.#nameLengths[node] = name.length;
    for (let at = 0; at < name.length; at++) this.#names[this.#namesEnd++] = name.charCodeAt(at);
    this.#nextSiblings[node] = this.#firstChildren[parent] ?? 0;
    this.#firstChildren[parent] = node;
    return node;
  }

  /** The slot that holds the child, or the free one where it belongs. */
  #slotOf(parent: number, name: BytePath, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let node = this.#slots[slot] ?? 0; node !== 0; node = this.#slots[slot] ?? 0) {
      if (this.#hashes[node] === hash && this.#parents[node] === parent && this.#isNamed(node, name)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isNamed(node: number, name: BytePath): boolean {
    if (this.#nameLengths[node] !== name.length) return false;
    const start = this.#nameStarts[node] ?? 0;
    for (let at = 0; at < name.length; at++) {
      if (this.#names[start + at] !== name.charCodeAt(at)) return false;
    }
    return true;
  }

  #makeRoom(nameBytes: number): void {
    if (this.#namesEnd + nameBytes > this.#names.length) {
      this.#names = enlarged(this.#names, new Uint8Array(this.#names.length * 2));
    }
    if (this.#size < this.#parents.length) return;
    const capacity = this.#parents.length * 2;
    this.#parents = enlarged(this.#parents, new Uint32Array(capacity));
    this.#hashes = enlarged(this.#hashes, new Int32Array(capacity));
    this.#nameStarts = enlarged(this.#nameStarts, new Uint32Array(capacity));
    this.#nameLengths = enlarged(this.#nameLengths, new Uint8Array(capacity));
    this.#firstChildren = enlarged(this.#firstChildren, new Uint32Array(capacity));
    this.#nextSiblings = enlarged(this.#nextSiblings, new Uint32Array(capacity));
    this.#rehash(capacity * 2);
  }

  #rehash(slots: number): void {
    this.#slots = new Uint32Array(slots);
    const mask = slots - 1;
    for (let node = 1; node < this.#size; node++) {
      let slot = (this.#hashes[node] ?? 0) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = node;
    }
  }
}

/** FNV-1a over the parent's number and the name's bytes, 32 bits; the low bits are mixed once more for the mask. */
function hashOf(parent: number, name: BytePath): number {
  let hash = Math.imul(0x811c9dc5 ^ parent, 0x01000193);
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
