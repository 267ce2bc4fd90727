// Finding where zeros end, many bytes at a time.

const ZEROS = Buffer.alloc(256 * 1024);
/** Within a run that is not all zero, the answer is exact to this many bytes. */
const STEP = 4096;

/** Whether all of `bytes` are zero. */
function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const end = Math.min(bytes.length, at + ZEROS.length);
    if (ZEROS.compare(bytes, at, end, 0, end - at) !== 0) return false;
  }
  return true;
}

/** The start of the first 4 KiB step (counted from the start of `bytes`) that is not all zero, or its length. */
export function zeroPrefix(bytes: Uint8Array): number {
  if (isZero(bytes)) return bytes.length;
  let at = 0;
  while (isZero(bytes.subarray(at, at + STEP))) at += STEP;
  return at;
}
