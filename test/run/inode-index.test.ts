// What inodes tell across paths: blocks of the inode table that went back, links that are still counted, names of old.

import { describe, expect, it } from 'vitest';
import type { InodeWitness } from '../../src/judge/path-case.ts';
import type { BytePath, EntryType, Expectation, Stat } from '../../src/model.ts';
import { comparePaths } from '../../src/path.ts';
import { InodeIndex } from '../../src/run/inode-index.ts';
import type { PathGroup } from '../../src/run/path-stream.ts';
import type { SpoolEntry } from '../../src/run/spool.ts';

const OLDER = 100n;
const NEWEST = 200n;

interface Inode {
  readonly inode: number;
  readonly type?: EntryType;
  readonly links?: number;
  readonly ctime?: number;
  readonly born?: number;
  /** Of now: reached through a second name of a directory. */
  readonly viaSecondName?: boolean;
  /** Of now: what the entry states, when that is something else. */
  readonly stated?: EntryType;
}

/** A path as in the older generation, in the newest one, and now. */
type Story = readonly [path: BytePath, older: Inode | null, newest: Inode | null, now: Inode | null];

function statOf({ inode, type = 'file', links = 1, ctime = 50, born = 10 }: Inode): Stat {
  const [ctimeNs, crtimeNs] = [BigInt(ctime), BigInt(born)];
  const times = { ctimeNs, crtimeNs, mtimeNs: ctimeNs };
  const common = { mode: 0o644, uid: 0, gid: 0, sizeBytes: 0, generation: null, blocks512: null };
  return { type, links, inode: BigInt(inode), ...times, ...common };
}

function expectationOf(reference: string, path: BytePath, stat: Stat): Expectation {
  const unsaid = { digests: {}, blocks: null, linkTarget: null, owner: null, installedAtNs: null, remedy: null };
  return { reference, path, type: stat.type, sizeBytes: 0, stat, editable: false, ...unsaid };
}

function entryOf(path: BytePath, stat: Stat, { viaSecondName = false, stated = stat.type }: Inode): SpoolEntry {
  const unsaid = { linkTarget: null, fault: null, mountPoint: false, viaSecondName };
  return { path, kind: 'entry', direntType: stated, stat, device: 1n, ...unsaid };
}

/** The witness of one path of a tree. */
function witnessOf(tree: readonly Story[], path: BytePath): InodeWitness {
  const index = new InodeIndex(false, [OLDER, NEWEST]);
  const stories = tree.map(([name, ...states]) => {
    const [older, newest, now] = states.map(state => (state === null ? null : statOf(state)));
    const past = (id: string, stat: Stat | null | undefined) => (stat ? [expectationOf(id, name, stat)] : []);
    const group: PathGroup = {
      path: name,
      entry: now && states[2] ? entryOf(name, now, states[2]) : null,
      expected: [...past('g0', older), ...past('g1', newest)],
      logged: null,
    };
    return { group, newest: past('g1', newest)[0] ?? null };
  });
  stories.sort((left, right) => comparePaths(left.group.path, right.group.path));
  for (const { group, newest } of stories) index.collect(group, newest);
  index.finishCollecting();
  for (const { group } of stories) if (group.entry !== null) index.lookUpInTree(group.entry);
  for (const { newest } of stories) if (newest !== null) index.lookUpInGeneration(newest);
  const story = stories.find(({ group }) => group.path === path);
  if (story === undefined) throw new Error(`no story of ${path}`);
  return index.witness(story.group, story.newest?.stat ?? null);
}

const ROOT: Story = ['/', dir(2, 90), dir(2, 150), dir(2, 250)];

function dir(inode: number, ctime: number): Inode {
  return { inode, ctime, type: 'directory', links: 2 };
}

describe('a block of the inode table', () => {
  const born = { ctime: 150, born: 150 };
  const gone: Story = ['/gone', null, { inode: 33, ...born }, null];

  it('went back where one of its inodes is older than the newest generation has it', () => {
    const older: Story = ['/f', { inode: 34 }, { inode: 34, ctime: 150 }, { inode: 34 }];
    const earlier: Story = ['/f', null, { inode: 34, ...born }, { inode: 34, ctime: 250 }];
    expect(witnessOf([ROOT, gone, older], '/gone').inodeBlockWentBack).toBe(true);
    expect(witnessOf([ROOT, gone, earlier], '/gone').inodeBlockWentBack).toBe(true);
    expect(witnessOf([ROOT, gone, older], '/f').inodeBlockWentBack).toBe(true);
  });

  it('went back where a name of one of its inodes is gone from an unchanged directory', () => {
    const directory: Story = ['/d', dir(5, 90), dir(5, 150), dir(5, 150)];
    const lost: Story = ['/d/lost', null, { inode: 35, ...born }, null];
    expect(witnessOf([ROOT, gone, directory, lost], '/gone').inodeBlockWentBack).toBe(true);
    const changed: Story = ['/d', dir(5, 90), dir(5, 150), dir(5, 250)];
    expect(witnessOf([ROOT, gone, changed, lost], '/gone').inodeBlockWentBack).toBe(false);
  });

  it('did not go back where one of its inodes is as it was after the older generation', () => {
    const older: Story = ['/f', { inode: 34 }, { inode: 34, ctime: 150 }, { inode: 34 }];
    const kept: Story = ['/g', null, { inode: 36, ...born }, { inode: 36, ...born }];
    expect(witnessOf([ROOT, gone, older, kept], '/gone').inodeBlockWentBack).toBe(false);
  });

  it('holds sixteen inodes, numbered from 1', () => {
    const neighbour: Story = ['/f', { inode: 32 }, { inode: 32, ctime: 150 }, { inode: 32 }];
    expect(witnessOf([ROOT, gone, neighbour], '/gone').inodeBlockWentBack).toBe(false);
  });
});

describe('a link that is gone', () => {
  const two = { inode: 40, links: 2 };
  const stamped = { ...two, ctime: 250 };
  const gone: Story = ['/b', two, two, null];

  it('is still counted where its inode has fewer names than links', () => {
    expect(witnessOf([ROOT, ['/a', two, two, stamped], gone], '/b').linkStillCounted).toBe(true);
    expect(witnessOf([ROOT, ['/a', two, two, { ...stamped, links: 1 }], gone], '/b').linkStillCounted).toBe(false);
  });

  it('is not said to be where the newest generation did not know every name either', () => {
    const three = { ...two, links: 3 };
    const tree: Story[] = [ROOT, ['/a', three, three, { ...stamped, links: 2 }], ['/b', three, three, null]];
    expect(witnessOf(tree, '/b').linkStillCounted).toBe(false);
  });

  it('is not said to be where another name of it is gone as well, and one link less', () => {
    const three = { ...two, links: 3 };
    const tree: Story[] = [
      ROOT,
      ['/a', three, three, { ...stamped, links: 2 }],
      ['/b', three, three, null],
      ['/c', three, three, null],
    ];
    expect(witnessOf(tree, '/b').linkStillCounted).toBe(false);
  });

  it('has left its inode under a name that is not new', () => {
    const { livesAt } = witnessOf([ROOT, ['/a', two, two, stamped], ['/new', null, null, stamped], gone], '/b');
    expect(livesAt.map(({ path, isNew }) => [path, isNew])).toEqual([
      ['/a', false],
      ['/new', true],
    ]);
  });
});

describe('a name of old', () => {
  it('has the number that an older generation, not the newest, had there', () => {
    const now = { inode: 40, ctime: 250 };
    expect(witnessOf([ROOT, ['/f', { inode: 40 }, { inode: 41 }, now]], '/f').isNameOfOld).toBe(true);
    expect(witnessOf([ROOT, ['/f', { inode: 40 }, { inode: 40 }, { ...now, born: 250 }]], '/f').isNameOfOld).toBe(
      false,
    );
  });
});

describe('a second name of a directory', () => {
  const file = { inode: 30 };
  const tree = (name: Inode | null): Story[] => [
    ROOT,
    ['/home', null, name, dir(40, 250)],
    ['/home/f', null, null, file],
    ['/second', null, null, { ...dir(40, 250), viaSecondName: true }],
    ['/second/f', null, null, { ...file, viaSecondName: true }],
  ];

  it('knows its home, and whence the directory came', () => {
    const { homePath, cameFrom } = witnessOf(tree(dir(40, 150)), '/second');
    expect([homePath, cameFrom]).toEqual(['/home', ['/home']]);
    expect(witnessOf(tree(null), '/second').cameFrom).toEqual([]);
    expect(witnessOf(tree({ ...dir(40, 150), born: 11 }), '/second').cameFrom).toEqual([]);
  });

  it('counts as a subdirectory where its entry says so', () => {
    const lost = (links: number, stated: EntryType): number => {
      const holder: Story = ['/h', null, null, { ...dir(60, 250), links }];
      const second: Story = ['/h/second', null, null, { ...dir(40, 250), viaSecondName: true, stated }];
      return witnessOf([...tree(null), holder, second], '/h').lostSubdirectories;
    };
    expect([lost(3, 'directory'), lost(3, 'file'), lost(2, 'file')]).toEqual([0, 1, 0]);
  });

  it('makes no rival of what it shows a second time', () => {
    for (const path of ['/home/f', '/second/f']) expect(witnessOf(tree(null), path).rivals).toEqual([]);
  });

  it('is no place where an inode lives whose name is gone, nor does it hold that name', () => {
    const gone: Story = ['/gone', file, file, null];
    expect(witnessOf([...tree(null), gone], '/gone').livesAt.map(({ path }) => path)).toEqual(['/home/f']);
    const replaced: Story = ['/second', null, { inode: 50 }, { ...dir(40, 250), viaSecondName: true }];
    const moved: Story = ['/moved', null, null, { inode: 50, ctime: 250 }];
    const stories = [...tree(null).filter(([path]) => path !== '/second'), replaced, moved];
    expect(witnessOf(stories, '/moved').cameFrom).toEqual(['/second']);
  });
});
