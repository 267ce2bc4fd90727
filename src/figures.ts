// Counts and sizes as people read them.

/** 1234567 -> "1,234,567" */
export function figure(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** (1, "path") -> "1 path", (2, "path") -> "2 paths", (2, "directory", "directories") -> "2 directories" */
export function countOf(value: number, one: string, many = `${one}s`): string {
  return `${figure(value)} ${value === 1 ? one : many}`;
}

const BYTE_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** 1536 -> "1.5 KiB" */
export function byteFigure(bytes: number): string {
  if (bytes < 1024) return countOf(bytes, 'byte');
  let value = bytes;
  let unit = '';
  for (const next of BYTE_UNITS) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value < 100 ? value.toFixed(1).replace(/\.0$/, '') : figure(Math.round(value))} ${unit}`;
}
