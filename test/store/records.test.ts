import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { ENTRY_TYPES } from '../../src/model.ts';
import { comparePaths } from '../../src/path.ts';
import type { BaselineRecord } from '../../src/store/baseline-record.ts';
import { openStore } from '../../src/store/store.ts';
import { fileRecord, request, STAT, sha256 } from './sample-records.ts';
import { capture, whole } from './samples.ts';

vi.setConfig({ testTimeout: 60_000 });

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const pathByte = fc.oneof(fc.constant(0x2f), fc.constant(0x2e), fc.integer({ min: 1, max: 255 }));
const path = fc.array(pathByte, { maxLength: 40 }).map(bytes => `/${latin1(Uint8Array.from(bytes))}`);
const whole64 = fc.oneof(fc.nat(), fc.maxSafeNat());
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });
const time = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-(2n ** 90n), 2n ** 90n));
const inode = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(2n ** 53n - 3n, 2n ** 53n + 3n), fc.bigInt(0n, 300n));

const stat = fc.record({
  type: fc.constantFrom(...ENTRY_TYPES),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  sizeBytes: whole64,
  links: whole64,
  inode,
  generation: orNull(fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  mtimeNs: time,
  ctimeNs: time,
  crtimeNs: orNull(time),
  blocks512: orNull(whole64),
});

/** Hashes with repetitions of all lengths, short lists and long ones. */
const blocks = fc
  .array(fc.tuple(fc.constantFrom(0, 1, 2, 255), fc.integer({ min: 1, max: 40 })), { maxLength: 8 })
  .map(runs => Uint8Array.from(runs.flatMap(([byte, times]) => new Array<number>(times * 8).fill(byte))))
  .chain(repeated => fc.uint8Array({ maxLength: 200 }).map(more => concatenate(repeated, more)));

function concatenate(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length - (right.length % 8));
  both.set(left);
  both.set(right.subarray(0, both.length - left.length), left.length);
  return both;
}

const record: fc.Arbitrary<BaselineRecord> = fc.record({
  path,
  stat,
  linkTarget: orNull(fc.uint8Array({ maxLength: 300 }).map(latin1)),
  content: orNull(blocks.map(each => ({ sha256: sha256(each), blocks: each }))),
  unread: orNull(fc.string()),
});

const tree = fc
  .uniqueArray(record, { selector: each => each.path, maxLength: 30 })
  .map(records => records.sort((left, right) => comparePaths(left.path, right.path)));

test('whatever is put into a generation comes back equal, each record also by its path', () => {
  const store = openStore(':memory:', 'write');
  let at = 0n;
  fc.assert(
    fc.property(tree, records => {
      at += 1n;
      const id = capture(store, at, records);
      expect(whole(store.records(id))).toEqual(records);
      for (const each of records) expect(whole([store.record(id, each.path) ?? each])).toEqual([each]);
    }),
    { numRuns: 150 },
  );
  store.close();
});

test('generations share what is equal and nothing else, whatever the order of capture', () => {
  const variant = fc.record({ present: fc.boolean(), mode: fc.integer({ min: 0, max: 2 }) });
  const states = fc.array(fc.array(variant, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(states, fc.infiniteStream(fc.nat(1000)), (trees, order) => {
      const store = openStore(':memory:', 'write');
      const kept = new Map<number, BaselineRecord[]>();
      const times = trees.map((_, i) => ({ i, rank: order.next().value ?? 0 })).sort((a, b) => a.rank - b.rank);
      for (const { i } of times) {
        const records = (trees[i] ?? []).flatMap((each, j) =>
          each.present ? [fileRecord(`/${j}`, 'same', { mode: each.mode })] : [],
        );
        kept.set(capture(store, BigInt(i), records), records);
      }
      for (const id of [...kept.keys()].sort(() => (order.next().value ?? 0) - 500)) {
        for (const [other, records] of kept) expect(whole(store.records(other))).toEqual(records);
        store.dropGeneration(id);
        kept.delete(id);
      }
      store.close();
    }),
    { numRuns: 60 },
  );
});

test.each(['a', '', 'a/b', '/\0', '/caf\u0142'])('%j is refused as a path', at => {
  const store = openStore(':memory:', 'write');
  expect(() => capture(store, 1n, [fileRecord(at)])).toThrow(RangeError);
  store.close();
});

test('a link target that is no byte string, a digest that is none, a broken block list are refused', () => {
  const store = openStore(':memory:', 'write');
  const content = { sha256: sha256('x'), blocks: new Uint8Array(8) };
  const refused: BaselineRecord[] = [
    { ...fileRecord('/a'), linkTarget: '\u0142' },
    { ...fileRecord('/a'), content: { ...content, sha256: content.sha256.toUpperCase() } },
    { ...fileRecord('/a'), content: { ...content, blocks: new Uint8Array(9) } },
    { ...fileRecord('/a'), stat: { ...STAT, inode: -1n } },
    { ...fileRecord('/a'), stat: { ...STAT, sizeBytes: 0.5 } },
  ];
  const writer = store.createGeneration(request(1n));
  writer.add(fileRecord('/1'));
  for (const [i, each] of refused.entries()) {
    expect(() => writer.add({ ...each, path: `/${i + 2}` })).toThrow(RangeError);
  }
  writer.add(fileRecord('/9'));
  writer.finish();
  expect(whole(store.records(writer.id))).toEqual([fileRecord('/1'), fileRecord('/9')]);
  store.close();
});
