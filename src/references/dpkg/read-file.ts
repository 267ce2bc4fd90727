// Reads a file of the database whole, whatever its state: blocks that the medium refuses become zeros, which no parser
// takes for text, so that the lines around them still count.

import { faultOf } from '../../filesystems/fault.ts';
import type { Entry, Filesystem, OpenFile } from '../../filesystems/filesystem.ts';
import type { Fault } from '../../model.ts';
import type { Troubles } from './troubles.ts';

/** The largest that is read: ten times the largest list and status file known. A damaged inode may claim any size. */
const LARGEST_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** What a refused chunk is read again in. */
const BLOCK_BYTES = 4096;

/** Null when it cannot be opened; that, like every gap, is told to `troubles`. */
export function readFile(filesystem: Filesystem, file: Entry, troubles: Troubles): Buffer | null {
  try {
    const opened = filesystem.open(file);
    try {
      return readOpened(opened, file, troubles);
    } finally {
      opened.close();
    }
  } catch (error) {
    const fault = faultOf(error);
    troubles.add(file.path, fault.code, fault.message);
    return null;
  }
}

function readOpened(opened: OpenFile, file: Entry, troubles: Troubles): Buffer {
  if (opened.size > LARGEST_BYTES) {
    troubles.add(file.path, 'EFBIG', `holds ${opened.size} bytes, of which the first ${LARGEST_BYTES} are read`);
  }
  const bytes = Buffer.alloc(Math.min(opened.size, LARGEST_BYTES));
  const refused: Refused = { blocks: 0, fault: null };
  let filled = 0;
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    filled = at + readChunk(opened, bytes.subarray(at, at + CHUNK_BYTES), at, refused);
    if (filled < Math.min(at + CHUNK_BYTES, bytes.length)) break;
  }
  if (refused.fault !== null) {
    const where = `the first of ${refused.blocks} blocks of ${BLOCK_BYTES} bytes that cannot be read`;
    troubles.add(file.path, refused.fault.code, `${refused.fault.message} (${where})`);
  }
  return bytes.subarray(0, filled);
}

interface Refused {
  blocks: number;
  /** The first. */
  fault: Fault | null;
}

/** Returns the bytes that count: fewer than asked for only where the file has become shorter. */
function readChunk(opened: OpenFile, into: Uint8Array, at: number, refused: Refused): number {
  try {
    return opened.read(into, at);
  } catch (error) {
    faultOf(error);
    for (let block = 0; block < into.length; block += BLOCK_BYTES) {
      readBlock(opened, into.subarray(block, block + BLOCK_BYTES), at + block, refused);
    }
    return into.length;
  }
}

function readBlock(opened: OpenFile, into: Uint8Array, at: number, refused: Refused): void {
  try {
    opened.read(into, at);
  } catch (error) {
    const fault = faultOf(error);
    into.fill(0);
    refused.blocks++;
    refused.fault ??= fault;
  }
}
