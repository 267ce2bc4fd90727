// The colours that the summary may ask for. Whoever owns the terminal decides what they are.

export interface Palette {
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly good: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

const plain = (text: string): string => text;

/** No terminal, or colours refused. */
export const NO_COLOURS: Palette = { bad: plain, warn: plain, good: plain, strong: plain, faint: plain };
