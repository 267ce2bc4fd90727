// Breaks sentences at spaces. Words longer than a line stay whole: a path must stay copyable.

/** Lines of at most `columns` characters (where words allow), each indented. `text` is printable already. */
export function wrapText(text: string, columns: number, indent = 0): string[] {
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let line = margin;
  for (const word of text.split(' ')) {
    const fits = line === margin || line.length + 1 + word.length <= columns;
    if (fits) line += line === margin ? word : ` ${word}`;
    else {
      lines.push(line);
      line = margin + word;
    }
  }
  return [...lines, line];
}
