import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparePaths } from '../../../src/path.ts';
import { NO_NODE, PathTree } from '../../../src/references/dpkg/path-tree.ts';

const name = fc.stringMatching(/^[a-c\x80-\xff!-.]{1,3}$/);
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map(names => `/${names.join('/')}`);

describe('a tree of paths', () => {
  test('holds each path and each of its ancestors once, and walks them in tree order', () => {
    fc.assert(
      fc.property(fc.array(path, { maxLength: 60 }), paths => {
        const tree = new PathTree();
        for (const each of paths) tree.place(each);
        const all = paths.flatMap(each =>
          each.split('/').map((_, depth, names) => names.slice(0, depth + 1).join('/')),
        );
        const expected = [...new Set(all)].filter(each => each !== '').sort(comparePaths);
        expect([...tree.walk()].map(step => step.path)).toEqual(expected);
        expect(tree.size).toBe(expected.length + 1);
      }),
    );
  });

  test('gives one path the same node, however often and after whatever growth', () => {
    const tree = new PathTree();
    const first = tree.place('/usr/share/doc');
    for (let index = 0; index < 20_000; index++) tree.place(`/usr/share/doc/package-${index}/copyright`);
    expect(tree.place('/usr/share/doc')).toBe(first);
    expect(tree.find(first, 'package-19999')).toBe(tree.place('/usr/share/doc/package-19999'));
    expect(tree.find(first, 'package-20000')).toBe(NO_NODE);
    expect(tree.size).toBe(1 + 3 + 2 * 20_000);
  });

  test('knows which paths have others below them', () => {
    const tree = new PathTree();
    tree.place('/a/b');
    expect(tree.hasChildren(tree.place('/a'))).toBe(true);
    expect(tree.hasChildren(tree.place('/a/b'))).toBe(false);
  });

  test('takes no name that no file system could hold', () => {
    const tree = new PathTree();
    expect(tree.place(`/a/${'x'.repeat(255)}`)).not.toBe(NO_NODE);
    expect(tree.place(`/a/${'x'.repeat(256)}`)).toBe(NO_NODE);
    expect(tree.place(`/a/${'x'.repeat(256)}/b`)).toBe(NO_NODE);
  });
});
