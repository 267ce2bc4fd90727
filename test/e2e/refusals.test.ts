// What the system refuses: permissions, mounts that are not part of the target, damaged metadata, bytes that are lost.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { asNobody, IS_ROOT, Place, skipping, succeeds } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

let place: Place;
const mounted: string[] = [];
beforeAll(() => {
  place = new Place();
}, 120_000);
afterAll(() => {
  for (const path of mounted.reverse()) execFileSync('umount', [path]);
  place.remove();
});

function mount(path: string, ...args: string[]): void {
  execFileSync('mount', [...args, path]);
  mounted.push(path);
}

/** What the summary for people says of a scan. */
function skips(report: { coverage: { skipped: readonly { path: string; reason: string }[] } }): string[] {
  return report.coverage.skipped.map(({ path, reason }) => `${path} ${reason}`);
}

const NOBODY = asNobody();

describe.skipIf(NOBODY === null)('without permission', () => {
  let theirs: Place;
  beforeAll(() => {
    theirs = new Place();
    const [uid, gid] = ['-u', '-g'].map(option => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' })));
    chownSync(theirs.path, uid ?? 0, gid ?? 0);
  });
  afterAll(() => theirs.remove());

  test('the closed directory and file are skipped, the rest is scanned, exit code 3', () => {
    const root = theirs.at('closed');
    for (const name of ['a', 'locked', 'z']) {
      mkdirSync(`${root}/${name}`, { recursive: true });
      writeFileSync(`${root}/${name}/file`, name);
    }
    writeFileSync(`${root}/secret`, 'secret');
    expect(theirs.baseline(root, 'closed', [], NOBODY ?? []).status).toBe(0);
    chmodSync(`${root}/locked`, 0);
    chmodSync(`${root}/secret`, 0);
    const { report, status } = theirs.scan(root, ['--baseline', 'closed'], NOBODY ?? []);
    expect(status).toBe(3);
    expect(report.run.complete).toBe(false);
    expect(skips(report)).toEqual(['/locked permission', '/secret permission']);
    expect(report.findings.filter(finding => finding.verdict !== 'altered')).toEqual([]);
    expect(report.summary.files).toBe(3);
  });

  test('a directory that may be listed and not entered: each of its names is skipped', () => {
    const root = theirs.at('listed-only');
    mkdirSync(`${root}/list`, { recursive: true });
    writeFileSync(`${root}/list/one`, '1');
    writeFileSync(`${root}/list/two`, '2');
    chmodSync(`${root}/list`, 0o744);
    const { report, status } = theirs.scan(root, [], NOBODY ?? []);
    expect({ status, skipped: skips(report), findings: report.findings }).toEqual({
      status: 3,
      skipped: ['/list/one permission', '/list/two permission'],
      findings: [],
    });
  });

  test('a target that may not be listed: nothing was scanned, and that is said', () => {
    const root = theirs.at('own');
    mkdirSync(root);
    chownSync(root, 0, 0);
    chmodSync(root, 0o700);
    const { status, stderr, report } = theirs.scan(root, [], NOBODY ?? []);
    expect({ status, stderr, skipped: skips(report) }).toEqual({ status: 3, stderr: '', skipped: ['/ permission'] });
  });
});

describe.skipIf(!IS_ROOT && skipping('mounting needs root') === null)('mounts below the target', () => {
  let root = '';
  beforeAll(() => {
    root = place.at('mounts');
    for (const name of ['tmpfs', 'bind', 'proc', 'sys', 'plain', 'odd name\n'])
      mkdirSync(`${root}/${name}`, { recursive: true });
    writeFileSync(`${root}/plain/file`, 'plain');
    mount(`${root}/tmpfs`, '-t', 'tmpfs', 'none');
    writeFileSync(`${root}/tmpfs/inner`, 'inner');
    mount(`${root}/bind`, '--bind', `${root}/plain`);
    mount(`${root}/odd name\n`, '--bind', `${root}/plain`);
    mount(`${root}/proc`, '-t', 'proc', 'proc');
    mount(`${root}/sys`, '-t', 'sysfs', 'sysfs');
  });

  test('are not entered', () => {
    const { report, status } = place.scan(root);
    expect(status).toBe(0);
    expect(report.summary).toMatchObject({ files: 1, directories: 2 });
    expect(skips(report)).toEqual(['/bind', '/odd name\n', '/proc', '/sys', '/tmpfs'].map(path => `${path} excluded`));
  });

  test('are with --cross-mounts, but for what the kernel makes up', () => {
    const { report, status } = place.scan(root, ['--cross-mounts']);
    expect(status).toBe(0);
    expect(report.summary).toMatchObject({ files: 4, directories: 5 });
  });

  test.each([[], ['--cross-mounts']])(
    'against a baseline with the same mounts nothing is amiss %j',
    (...options: string[]) => {
      const name = `mounts${options.length}`;
      expect(place.baseline(root, name, options).status).toBe(0);
      const { report, status } = place.scan(root, ['--baseline', name, ...options]);
      expect({ status, findings: report.findings }).toEqual({ status: 0, findings: [] });
    },
  );

  test('a baseline made below mounts says nothing of what they hid', () => {
    const offline = place.at('offline');
    mkdirSync(`${offline}/over/deeper`, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'none', `${offline}/over`]);
    expect(place.baseline(offline, 'offline').status).toBe(0);
    execFileSync('umount', [`${offline}/over`]);
    const { report, status } = place.scan(offline, ['--baseline', 'offline']);
    expect({ status, findings: report.findings }).toEqual({ status: 0, findings: [] });
  });

  test('a mount that came after the baseline hides what is below it: nothing is said to be missing', () => {
    const late = place.at('late');
    mkdirSync(`${late}/over`, { recursive: true });
    writeFileSync(`${late}/over/file`, 'hidden');
    expect(place.baseline(late, 'late').status).toBe(0);
    mount(`${late}/over`, '-t', 'tmpfs', 'none');
    const { report, status } = place.scan(late, ['--baseline', 'late']);
    expect({ status, findings: report.findings }).toEqual({ status: 0, findings: [] });
  });
});

const HAS_LOOP = IS_ROOT && succeeds('losetup', ['-f']) && succeeds('debugfs', ['-V']);
const LOOP = HAS_LOOP || skipping('needs root, loop devices and e2fsprogs, to damage a file system') !== null;

describe.skipIf(!LOOP)('damaged metadata', () => {
  let mountPoint = '';
  beforeAll(() => {
    const image = place.at('damaged.img');
    mountPoint = place.at('damaged');
    mkdirSync(mountPoint);
    closeSync(openSync(image, 'w'));
    truncateSync(image, 16 * 1024 * 1024);
    execFileSync('mkfs.ext4', ['-q', '-F', '-b', '1024', '-O', '^metadata_csum', image]);
    execFileSync('mount', ['-o', 'loop', image, mountPoint]);
    for (const name of ['bad', 'd', 'z']) {
      mkdirSync(`${mountPoint}/${name}`);
      for (const file of ['f1', 'f2', 'f3']) writeFileSync(`${mountPoint}/${name}/${file}`, `${name} ${file}`);
    }
    execFileSync('umount', [mountPoint]);
    // The inode of /d/f2 and that of /bad are wiped; their directories still name them.
    for (const request of ['clri /d/f2', 'clri /bad'])
      execFileSync('debugfs', ['-w', '-R', request, image], { stdio: 'ignore' });
    mount(mountPoint, '-o', 'loop,ro', image);
  });

  test('lost inodes are findings in plain words, the walk goes on, exit code 3', () => {
    const { report, status } = place.scan(mountPoint);
    expect(status).toBe(3);
    const found = report.findings.map(({ path, verdict, confidence }) => ({ path, verdict, confidence }));
    expect(found).toEqual([
      { path: '/bad', verdict: 'unreadable', confidence: 'proven' },
      { path: '/d/f2', verdict: 'unreadable', confidence: 'proven' },
    ]);
    expect(report.findings[1]?.evidence[0]?.detail).toBe(
      'The directory lists the name, but the file system found its own structures damaged (EUCLEAN).',
    );
    expect(report.summary).toMatchObject({ files: 5, directories: 4 });
    expect(JSON.stringify(report.findings)).not.toContain(place.path);
  });
});

describe.skipIf(!LOOP)('bytes that the medium refuses', () => {
  let mountPoint = '';
  const BLOCK = 4096;
  const BAD_BLOCKS = [3, 7, 8];

  beforeAll(() => {
    const image = place.at('holes.img');
    mountPoint = place.at('holes');
    mkdirSync(mountPoint);
    closeSync(openSync(image, 'w'));
    truncateSync(image, 64 * 1024 * 1024);
    execFileSync('mkfs.ext4', [
      '-q',
      '-F',
      '-b',
      String(BLOCK),
      '-O',
      '^extent,^64bit,^metadata_csum,^has_journal',
      image,
    ]);
    execFileSync('mount', ['-o', 'loop', image, mountPoint]);
    for (let file = 0; file < 3; file++) {
      const bytes = Buffer.alloc(20 * BLOCK - 100);
      for (let at = 0; at < bytes.length; at += BLOCK) bytes.fill(`${file} block ${at / BLOCK} `, at);
      writeFileSync(`${mountPoint}/file${file}`, bytes);
    }
    execFileSync('umount', [mountPoint]);
    // The bad blocks of file1 are said to lie where the device is about to end.
    for (const [index, block] of BAD_BLOCKS.entries()) {
      const request = `sif /file1 block[${block}] ${16_000 + index}`;
      execFileSync('debugfs', ['-w', '-R', request, image], { stdio: 'ignore' });
    }
    mount(mountPoint, '-o', 'loop,ro', image);
    truncateSync(image, 15_000 * BLOCK);
  });

  test('are ranges of whole blocks; the other bytes are read, the other files are whole, exit code 3', () => {
    const { report, status } = place.scan(mountPoint);
    expect(status).toBe(3);
    expect(report.findings).toHaveLength(1);
    expect(report.findings[0]).toMatchObject({ path: '/file1', verdict: 'unreadable', confidence: 'proven' });
    expect(report.findings[0]?.ranges.map(({ offset, length, state }) => [offset, length, state])).toEqual([
      [3 * BLOCK, BLOCK, 'unreadable'],
      [7 * BLOCK, 2 * BLOCK, 'unreadable'],
    ]);
    expect(report.summary.files).toBe(3);
  });

  test('are kept out of a baseline, which is then not whole', () => {
    const { status, stderr } = place.baseline(mountPoint, 'holes');
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
    const { report } = place.scan(mountPoint, ['--baseline', 'holes']);
    expect(report.findings.map(finding => finding.path)).toEqual(['/file1']);
  });
});
