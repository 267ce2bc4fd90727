// Columns of text for the terminal.

/** Rows below a heading, two spaces between columns; columns named in `right` end flush. Cells are printable already. */
export function tableLines(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)));
  return all.map(row => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
    });
    return cells.join('  ').trimEnd();
  });
}
