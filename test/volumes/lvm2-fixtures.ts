// Volume groups laid out by LVM2's own tools, on loop devices and without the kernel's device-mapper: what they write is
// metadata only. The bytes of a logical volume are put by this file where `lvs` says that its extents are.

import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hasTool, run, scratchFolder } from '../bytes/disk-fixtures.ts';

/** Of this test file; its `remove` belongs into afterAll. */
export const scratch = scratchFolder();
export const MIB = 2 ** 20;
/** Tools without root or loop devices lay out nothing. */
export const canLayOut =
  ['lvm', 'losetup', 'mkfs.ext4', 'pvck'].map(tool => hasTool(tool)).every(Boolean) &&
  (process.getuid?.() === 0 || process.stderr.write('skipped: loop devices need root\n') === null);

const EXTENT = MIB;

export function blank(path: string, sizeBytes: number): string {
  closeSync(openSync(path, 'w'));
  truncateSync(path, sizeBytes);
  return path;
}

export function copyOf(path: string, name: string): string {
  const to = scratch.path(name);
  copyFileSync(path, to);
  return to;
}

/** Attached disks, and LVM2's tools that see nothing else. */
export class Tools {
  readonly devices: readonly string[];
  readonly #config: string;

  constructor(disks: readonly string[], offset = 0) {
    this.devices = disks.map(disk => run('losetup', '--find', '--show', '--offset', String(offset), disk).trim());
    const filter = [...this.devices.map(device => `"a|^${device}$|"`), '"r|.*|"'].join(',');
    this.#config = `devices { use_devicesfile=0 filter=[${filter}] } backup { backup=0 archive=0 } activation { udev_sync=0 udev_rules=0 monitoring=0 }`;
  }

  lvm(...args: readonly string[]): string {
    return run('lvm', ...args, '--config', this.#config, '--driverloaded', 'n');
  }

  create(name: string, ...args: readonly string[]): void {
    this.lvm('lvcreate', '-an', '-Zn', '-Wn', '-y', '-n', name, ...args);
  }

  detach(): void {
    for (const device of this.devices) run('losetup', '--detach', device);
  }
}

/** Calls back with the disks attached, and detaches them whatever happens. */
export function withTools<T>(disks: readonly string[], use: (tools: Tools) => T, offset = 0): T {
  const tools = new Tools(disks, offset);
  try {
    return use(tools);
  } finally {
    tools.detach();
  }
}

/** Three disks of 40 MiB: `lin` in three segments on all of them, `str` striped over two in two segments, `home` on one. */
export function layOut(name: string): string[] {
  const disks = [0, 1, 2].map(number => blank(scratch.path(`${name}-pv${number}.img`), 40 * MIB));
  withTools(disks, tools => {
    const [first = '', second = '', third = ''] = tools.devices;
    tools.lvm('pvcreate', '-y', ...tools.devices);
    tools.lvm('vgcreate', '-s', '1M', name, ...tools.devices);
    tools.create('lin', '-l', '7', name, third);
    tools.create('str', '--type', 'striped', '-i', '2', '-I', '64k', '-l', '12', name, first, second);
    tools.lvm('lvextend', '-l', '+6', `${name}/lin`, first);
    tools.create('home', '-l', '9', name, second);
    tools.lvm('lvextend', '-i', '2', '-I', '64k', '-l', '+4', `${name}/str`, second, third);
    tools.lvm('lvextend', '-l', '+5', `${name}/lin`, second);
  });
  return disks;
}

interface Piece {
  readonly disk: string;
  /** Of the disk's file, and how many bytes. */
  readonly at: number;
  readonly length: number;
}

/** Where the bytes of a logical volume lie, in order, as `lvs` and `pvs` have it. */
function piecesOf(tools: Tools, disks: readonly string[], volume: string): Piece[] {
  const start = JSON.parse(
    tools.lvm('pvs', '--reportformat', 'json', '--units', 'b', '--nosuffix', '-o', 'pv_name,pe_start'),
  );
  const starts = new Map<string, number>(
    start.report[0].pv.map((row: { pv_name: string; pe_start: string }) => [row.pv_name, Number(row.pe_start)]),
  );
  const options = 'seg_start_pe,seg_pe_ranges,stripe_size';
  const told = JSON.parse(
    tools.lvm('lvs', '--reportformat', 'json', '--units', 'b', '--nosuffix', '--segments', '-o', options, volume),
  );
  const rows: { seg_start_pe: string; seg_pe_ranges: string; stripe_size: string }[] =
    told.report[0].seg ?? told.report[0].lv;
  const inOrder = rows.toSorted((left, right) => Number(left.seg_start_pe) - Number(right.seg_start_pe));
  return inOrder.flatMap(row => {
    const stripes = row.seg_pe_ranges.split(' ').map(range => {
      const [, device = '', first = '', last = ''] = /^(.*):(\d+)-(\d+)$/.exec(range) ?? [];
      const disk = disks[tools.devices.indexOf(device)] ?? '';
      return {
        disk,
        at: (starts.get(device) ?? 0) + Number(first) * EXTENT,
        bytes: (Number(last) - Number(first) + 1) * EXTENT,
      };
    });
    return interleaved(stripes, Number(row.stripe_size));
  });
}

/** Stripes take turns, a stripe's size at a time. */
function interleaved(stripes: readonly { disk: string; at: number; bytes: number }[], stripeBytes: number): Piece[] {
  const [first] = stripes;
  if (first === undefined) return [];
  const length = stripes.length === 1 ? first.bytes : stripeBytes;
  const rows = Array.from({ length: first.bytes / length }, (_, row) => row);
  return rows.flatMap(row => stripes.map(({ disk, at }) => ({ disk, at: at + row * length, length })));
}

/** An ext4 in a plain file of the volume's size, with files that fill much of it. */
export function makePlain(name: string, sizeBytes: number): string {
  const tree = scratch.path(`${name}.tree`);
  mkdirSync(`${tree}/deep/er`, { recursive: true });
  for (let number = 0; number < 40; number++) {
    writeFileSync(`${tree}/deep/er/${number}`, `${name} ${number} `.repeat(3000 + 500 * number));
  }
  const plain = blank(scratch.path(`${name}.plain`), sizeBytes);
  run('mkfs.ext4', '-q', '-F', '-d', tree, plain);
  return plain;
}

/** Copies a plain file to where the tools say that the volume's bytes are. */
export function fillVolume(tools: Tools, disks: readonly string[], volume: string, plain: string): void {
  const from = openSync(plain, 'r');
  let done = 0;
  for (const { disk, at, length } of piecesOf(tools, disks, volume)) {
    const bytes = new Uint8Array(length);
    readSync(from, bytes, 0, length, done);
    const to = openSync(disk, 'r+');
    writeSync(to, bytes, 0, length, at);
    closeSync(to);
    done += length;
  }
  closeSync(from);
}

/** Of disks that the tools see together. */
export function seqnoOf(disks: readonly string[], group: string): number {
  return withTools(disks, tools => Number(tools.lvm('vgs', '--noheadings', '-o', 'vg_seqno', group).trim()));
}

/** Bytes of a file, and the putting of them into another at the same place. */
export function bytesAt(path: string, at: number, length: number): Buffer {
  return Buffer.from(readFileSync(path).subarray(at, at + length));
}

export function putBytes(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}
