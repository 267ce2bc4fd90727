// Sizes of stripes and lists of suspect extents, as people and backy write them.

import { describe, expect, it } from 'vitest';
import { parseStripe, parseSuspectExtents } from '../../src/cli/extents.ts';

describe('--stripe', () => {
  it.each([
    ['4M', 4_194_304],
    ['512K', 524_288],
    ['512k', 524_288],
    ['1G', 1_073_741_824],
    ['1536KiB', 1_572_864],
    ['64KB', 65_536],
    ['4 M', 4_194_304],
    ['16384', 16_384],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseStripe(text)).toBe(bytes);
  });

  it.each(['', '4', '8K', '2G', '4X', 'M', '-4M', '4.5M', '100001', '4M,8M', '9999999999999M'])(
    'refuses "%s"',
    text => {
      expect(() => parseStripe(text)).toThrow(
        `--stripe: "${text}": expected a size from 16K to 1G in whole sectors, e.g. 4M or 512K`,
      );
    },
  );
});

describe('--suspect-extents', () => {
  it('reads offsets and lengths, decimal and hexadecimal, between comments and empty lines', () => {
    const text = '# objects of pg 2.1f\noffset,length\n\n0,4194304\n 0x400000 , 0x1000 # half\r\n0,4194304\n';
    expect(parseSuspectExtents(text, 's.csv')).toEqual([
      { offset: 0, length: 4_194_304 },
      { offset: 4_194_304, length: 4096 },
    ]);
  });

  it.each([
    ['12x,4096', '12x,4096'],
    ['4096', '4096'],
    ['1,2,3', '1,2,3'],
    ['-1,4096', '-1,4096'],
    ['0,0', '0,0'],
    ['9007199254740991,1', '9007199254740991,1'],
    ['1e6,4096', '1e6,4096'],
    ['0x,4096 # why', '0x,4096'],
  ])('refuses the line "%s", and says which it is', (line, shown) => {
    expect(() => parseSuspectExtents(`0,512\n\n${line}\n`, 's.csv')).toThrow(
      `s.csv:3: "${shown}": expected OFFSET,LENGTH in bytes, decimal or 0x hexadecimal`,
    );
  });

  it('refuses a list of nothing', () => {
    expect(() => parseSuspectExtents('# none\n', 's.csv')).toThrow('--suspect-extents s.csv: names no extent');
  });

  const report = (offset: string) =>
    `offset: ${offset}\nsource_hash: 5f0c\ntarget_hash: 77aa\ntimestamp: 2014-06-03 04:05:06+00:00\ntraceback: "File x\\n"\nuuid: 4dJ\n`;

  it('reads quarantine reports of backy, one or several: chunks of 4 MiB', () => {
    expect(parseSuspectExtents(`${report('8388608')}---\n${report('0')}`, 'q.report')).toEqual([
      { offset: 8_388_608, length: 4_194_304 },
      { offset: 0, length: 4_194_304 },
    ]);
  });

  it.each(['-5', '"8"', '1.5', '[1]'])('refuses a quarantine report with the offset %s', offset => {
    expect(() => parseSuspectExtents(`${report('0')}---\n${report(offset)}`, 'q.report')).toThrow(
      'q.report:8: a quarantine report without a whole offset',
    );
  });

  it('refuses a quarantine report that is no YAML, and says where', () => {
    expect(() => parseSuspectExtents('offset: 1\nsource_hash: "5f\n', 'q.report')).toThrow(
      /^q\.report:\d: no valid YAML: /,
    );
  });
});
