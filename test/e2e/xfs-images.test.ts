// XFS images, whole: what is read of them is what the kernel's mount shows, and what was harmed below it is found.

import { unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { populate } from '../filesystems/ext4/populate.ts';
import {
  AMOUNTS,
  blank,
  canMount,
  copy,
  digestsOf,
  hasTools,
  install,
  MIB,
  makePackage,
  mounted,
  recordsOf,
  stateBefore,
  stateOf,
  tool,
} from './image-fixtures.ts';
import { Place } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MOUNTS = canMount() && hasTools('mkfs.xfs', 'xfs_io', 'xfs_db');
const READ_ONLY = 'ro,norecovery,nouuid';

describe.skipIf(!MOUNTS)('an XFS image', () => {
  let place: Place;
  let filled = '';
  let digests = new Map<string, string>();
  beforeAll(() => {
    place = new Place();
    filled = blank(place.at('filled.img'), 320 * MIB);
    tool('mkfs.xfs', '-q', '-L', 'data', '-m', 'uuid=00000000-0000-4000-8000-000000000005', filled);
    const packed = makePackage(place);
    mounted(
      filled,
      'rw',
      point => {
        populate(point, AMOUNTS);
        install(point, packed);
      },
      'xfs',
    );
    expect(place.baseline(filled, 'filled')).toMatchObject({ status: 0, stderr: '' });
    mounted(
      filled,
      READ_ONLY,
      point => {
        digests = digestsOf(point);
        expect(place.baseline(point, 'mounted')).toMatchObject({ status: 0, stderr: '' });
      },
      'xfs',
    );
  });
  afterAll(() => place.remove());

  test('gives the same baseline as its mount: every path, its metadata, its digest, its blocks', () => {
    const ours = recordsOf(place, 'filled');
    const theirs = recordsOf(place, 'mounted');
    for (const [path, record] of theirs) expect([path, ours.get(path)]).toEqual([path, record]);
    expect(ours.size).toBe(theirs.size);
  });

  test.each(['filled', 'mounted'])(
    'scanned against the baseline "%s", nothing is found and nothing is touched',
    name => {
      const before = stateBefore(filled);
      const { status, stderr, report } = place.scan(filled, ['--baseline', name]);
      expect({ status, stderr, findings: report.findings }).toEqual({ status: 0, stderr: '', findings: [] });
      expect(report.summary.files).toBe(digests.size);
      expect(stateOf(filled)).toEqual(before);
    },
  );

  test('a block that was zeroed below the file system is found, by its package and by the baseline', () => {
    const harmed = copy(filled, place.at('harmed.img'));
    const map = tool('xfs_db', '-r', '-c', 'path /usr/share/oddities/two', '-c', 'bmap', filled);
    const [, group = '', inGroup = ''] = /startblock \d+ \((\d+)\/(\d+)\)/.exec(map) ?? [];
    const agBlocks = tool('xfs_db', '-r', '-c', 'sb 0', '-c', 'p agblocks', filled).split(' = ')[1];
    const block = Number(group) * Number(agBlocks) + Number(inGroup);
    const zeros = blank(place.at('block'), 4096);
    tool('dd', `if=${zeros}`, `of=${harmed}`, 'bs=4096', `seek=${block}`, 'conv=notrunc', 'status=none');
    const { status, report } = place.scan(harmed, ['--baseline', 'filled']);
    expect(status).toBe(1);
    const [finding] = report.findings.filter(({ path }) => path === '/usr/share/oddities/two');
    expect(finding).toMatchObject({ verdict: 'garbage', ranges: [{ offset: 0, length: 4096, state: 'zero' }] });
  });

  test('is told of by inspect', () => {
    const { status, stdout } = place.run(['inspect', filled]);
    expect(status).toBe(0);
    expect(stdout).toContain('Volume 0: xfs "data", 320 MiB at byte 0');
    expect(stdout).toContain('uuid       00000000-0000-4000-8000-000000000005');
    expect(stdout).toMatch(/state {6}clean\n/);
    expect(stdout).toMatch(/features .*crc.*finobt.*reflink.*bigtime/s);
  });

  describe('stopped at work', () => {
    let dirty = '';
    beforeAll(() => {
      const busy = copy(filled, place.at('busy.img'));
      dirty = place.at('dirty.img');
      mounted(
        busy,
        'rw',
        point => {
          for (let index = 0; index < 300; index++) writeFileSync(`${point}/many-3/new-${index}`, `new ${index}`);
          for (let index = 1; index < 60; index += 2) unlinkSync(`${point}/many-${index % 10}/file-${index}`);
          tool('sync', '--file-system', point);
          // Records of their own: the last eight may be torn without anybody minding.
          for (let index = 0; index < 20; index++)
            tool('xfs_io', '-f', '-c', 'pwrite -q 0 9', '-c', 'fsync', `${point}/late-${index}`);
          tool('xfs_io', '-x', '-c', 'shutdown -f', point);
          copy(busy, dirty);
        },
        'xfs',
      );
    });

    test('shows what the kernel shows after its recovery', () => {
      const before = stateBefore(dirty);
      expect(place.baseline(dirty, 'dirty')).toMatchObject({ status: 0, stderr: '' });
      expect(stateOf(dirty)).toEqual(before);
      mounted(
        copy(dirty, place.at('recovered.img')),
        'rw,noatime',
        point => expect(place.baseline(point, 'recovered')).toMatchObject({ status: 0, stderr: '' }),
        'xfs',
      );
      const ours = recordsOf(place, 'dirty');
      const theirs = recordsOf(place, 'recovered');
      for (const [path, record] of theirs) expect([path, ours.get(path)]).toEqual([path, record]);
      expect([...ours.keys()].filter(path => !theirs.has(path))).toEqual([]);
      expect(place.scan(dirty, ['--baseline', 'recovered'])).toMatchObject({ status: 0, report: { findings: [] } });
      expect(place.run(['inspect', dirty]).stdout).toContain('dirty, its journal replayed in memory');
    });

    test('shows what lies on the disk when its log is to be left alone', () => {
      expect(place.baseline(dirty, 'left', ['--no-replay'])).toMatchObject({ status: 0, stderr: '' });
      mounted(
        dirty,
        READ_ONLY,
        point => expect(place.baseline(point, 'unrecovered')).toMatchObject({ status: 0 }),
        'xfs',
      );
      const [ours, theirs] = [recordsOf(place, 'left'), recordsOf(place, 'unrecovered')];
      expect([...ours.keys()]).toEqual([...theirs.keys()]);
      expect(ours).not.toEqual(recordsOf(place, 'dirty'));
    });

    test('whose log is broken, which the kernel refuses: the report says so, exit code 3', () => {
      const broken = copy(dirty, place.at('broken.img'));
      const [, logStart] = tool('xfs_db', '-r', '-c', 'sb 0', '-c', 'p logstart', filled).split(' = ');
      const linear = tool('xfs_db', '-r', '-c', `convert fsblock ${logStart?.trim()} daddr`, filled);
      const sector = Number(/\((\d+)\)/.exec(linear)?.[1]);
      const noise = place.at('noise');
      writeFileSync(noise, Buffer.alloc(512, 0x5a));
      const write = (at: number) =>
        tool('dd', `if=${noise}`, `of=${broken}`, 'bs=512', `seek=${sector + at}`, 'conv=notrunc', 'status=none');
      // Behind the header of the first record that is to be replayed.
      const tail = Number(/log tail: (\d+)/.exec(tool('xfs_logprint', '-t', dirty))?.[1]);
      write(tail + 2);
      expect(() => mounted(copy(broken, place.at('refused.img')), 'rw', () => null, 'xfs')).toThrow();
      const { status, report } = place.scan(broken);
      expect({ status, complete: report.run.complete }).toEqual({ status: 3, complete: false });
      expect(report.errors.map(({ code }) => code)).toEqual(['journal-not-replayed']);
      expect(place.scan(broken, ['--no-replay']).report.errors).toEqual([]);
    });
  });
});
