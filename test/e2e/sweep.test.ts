// A sweep over a platform of many disks, some of which cannot be scanned: what it reports, adds up, and goes on with.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { errorCode } from '../../src/errors.ts';
import { mountSilentDisk, type SilentDisk } from '../fleet/silent-disk.ts';
import { hasTools, tool } from './image-fixtures.ts';
import { Place, parseReport, type ReadReport, readReport } from './program.ts';
import { makeBroken, makePlatform, type Platform, parseSweep, type ReadSweep } from './sweep-fixtures.ts';

const IS_LONG = process.env.LOSTWRITE_LONG_TESTS !== undefined;
/** The long run sweeps over forty targets; what every push runs has at least one disk of each kind. */
const DISKS = IS_LONG ? 36 : 17;
vi.setConfig({ testTimeout: IS_LONG ? 600_000 : 240_000, hookTimeout: 240_000 });
/** Which of them are killed and stopped amid their sweep. */
const SOME = IS_LONG ? 'vm*' : 'vm0*';
const CAN = hasTools('mkfs.ext4', 'qemu-img', 'dpkg', 'dpkg-deb', 'mkfifo', 'split');

const VERDICTS = ['unreadable', 'garbage', 'stale', 'missing', 'resurrected', 'altered', 'suspect'] as const;

interface Summed extends ReadReport {
  readonly summary: ReadReport['summary'] &
    Readonly<Record<string, number>> & { readonly verdicts: Record<string, number> };
  readonly coverage: ReadReport['coverage'] & { readonly unvouched: number };
  readonly findings: readonly (ReadReport['findings'][number] & { readonly owner: { readonly name: string } | null })[];
}

let place: Place;
let platform: Platform;
let silent: SilentDisk | null = null;

beforeAll(async () => {
  place = new Place();
  if (!CAN) return;
  platform = makePlatform(place, DISKS);
  makeBroken(`${platform.images}/vm01.qcow2`, place.at('broken.qcow2'));
  tool('mkfifo', place.at('pipe.img'));
  silent = await mountSilentDisk(place.at('silent.img'), 2 ** 30);
});
afterAll(async () => {
  await silent?.end();
  place.remove();
});

function list(name: string, lines: readonly string[]): string {
  const file = place.at(name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** Whether a thread of the process waits for a FUSE file system. */
function hangsIn(pid: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some(task =>
      /fuse|request_wait/.test(readFileSync(`/proc/${pid}/task/${task}/wchan`, 'utf8')),
    );
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** The disks that `SOME` stands for. */
function some(): string[] {
  return platform.disks.filter(name => IS_LONG || name.startsWith('vm0'));
}

function sweepOf(directory: string): ReadSweep {
  return parseSweep(readFileSync(`${directory}/_sweep.json`, 'utf8'));
}

/** Everything that a list of many may hold. */
function wholeList(): string {
  return list('platform.yaml', [
    '- {image: "images/*.{img,001,002,003}", owner: storage}',
    '- {image: "images/*.{qcow2,vmdk,vhdx,vdi,vhd}", owner: web team, ticket: OPS-17}',
    '- {name: tree, path: tree, priority: 1}',
    '- {name: broken, image: broken.qcow2, owner: storage}',
    '- {name: gone, image: images/gone.img}',
    '- {name: pipe, image: pipe.img}',
    ...(silent === null ? [] : ['- {name: silent, image: silent.img, time-limit: 4s, priority: 1, ticket: OPS-18}']),
  ]);
}

describe.skipIf(!CAN)('a sweep over a platform', () => {
  let out = '';
  let sweep: ReadSweep;
  let ended: ReturnType<Place['run']>;
  const failing = (): string[] => ['broken', 'gone', 'pipe', ...(silent === null ? [] : ['silent'])];

  beforeAll(() => {
    out = place.at('reports');
    ended = place.run(['sweep', wholeList(), '--out', out, '--force']);
    sweep = sweepOf(out);
  });

  test('ends with 3, since some targets failed, and has a valid report for each', () => {
    expect(ended.status).toBe(3);
    expect(sweep.summary.targets).toBe(DISKS + 1 + failing().length);
    expect(sweep.targets).toHaveLength(sweep.summary.targets);
    for (const { name, report, state } of sweep.targets) {
      expect([name, readReport(`${out}/${report}`).run.complete]).toEqual([name, state === 'whole']);
    }
    const files = readdirSync(out).filter(name => name.endsWith('.json'));
    expect(files).toHaveLength(sweep.summary.targets + 1);
  });

  test('says of each that failed why, that it was tried twice, and scans all others whole', () => {
    const failed = sweep.targets.filter(({ state }) => state === 'failed');
    expect(failed.map(({ name }) => name).sort()).toEqual(failing());
    const reasons = Object.fromEntries(failed.map(({ name, reasons: [reason] }) => [name, reason]));
    expect(reasons.gone).toBe(`${platform.images}/gone.img: no such file or directory`);
    expect(reasons.pipe).toBe(`${place.at('pipe.img')}: neither a directory, a disk image nor a block device`);
    expect(reasons.broken).toMatch(/^.*broken\.qcow2.*$/);
    if (silent !== null)
      expect(reasons.silent).toBe(
        'it was not done within its time limit of 4 s, and was killed (it had not begun to list)',
      );
    expect(failed.map(({ attempts }) => attempts)).toEqual(failing().map(() => 2));
    expect(sweep.summary.whole).toBe(DISKS + 1);
    expect(ended.stderr).toContain(
      `gone: ${platform.images}/gone.img: no such file or directory; it will be tried once more`,
    );
    expect(ended.stdout).toContain('(tried twice)');
    expect(readReport(`${out}/gone.json`).errors).toEqual([
      { path: '/', code: 'target-failed', message: `${platform.images}/gone.img: no such file or directory` },
    ]);
  });

  test('does not wait for a target that hangs, though that one comes first', ({ skip }) => {
    skip(silent === null, 'there is no disk that does not answer');
    const lines = ended.stderr.split('\n');
    const hung = lines.findIndex(line => line.startsWith('silent: ') && line.endsWith('it will be tried once more'));
    expect(lines.slice(0, hung).filter(line => /^\d+ of \d+ /.test(line)).length).toBeGreaterThan(0);
  });

  test('adds up what a scan of each target finds by itself', () => {
    const targets = [...platform.disks.map(name => `${platform.images}/${name}`), platform.tree];
    const single = targets.map(target => {
      const { stdout, stderr } = place.run(['scan', target, '--json', '-', '--quiet', '--force']);
      return parseReport(stdout, stderr) as Summed;
    });
    const sum = (of: (report: Summed) => number): number => single.reduce((total, report) => total + of(report), 0);
    const reported = (report: Summed) =>
      report.findings.filter(
        ({ verdict, confidence }) => !['altered', 'suspect'].includes(verdict) && confidence !== 'possible',
      );
    const { figures } = sweep.summary;
    for (const name of ['files', 'directories', 'bytesRead', 'vouched', 'atRisk']) {
      expect([name, figures[name]]).toEqual([name, sum(({ summary }) => Number(summary[name]))]);
    }
    expect(figures.unvouched).toBe(sum(({ coverage }) => coverage.unvouched));
    expect(figures.verdicts).toEqual(
      Object.fromEntries(VERDICTS.map(verdict => [verdict, sum(({ summary }) => summary.verdicts[verdict] ?? 0)])),
    );
    expect(figures.reported).toBe(sum(report => reported(report).length));
    expect(figures.proven).toBe(sum(report => reported(report).filter(each => each.confidence === 'proven').length));
    expect(sweep.summary.damaged).toBe(single.filter(report => reported(report).length > 0).length);
    expect(sweep.summary.hasFindings).toBe(single.some(({ summary }) => summary.hasFindings));
    const ofPackage = single.map(report => reported(report).filter(({ owner }) => owner?.name === 'oddities').length);
    expect(sweep.byPackage).toEqual([
      {
        name: 'oddities',
        targets: ofPackage.filter(count => count > 0).length,
        reported: ofPackage.reduce((total, count) => total + count, 0),
      },
    ]);
    expect(sweep.summary.damaged).toBeGreaterThan(0);
  });

  test('puts the worst first, and knows whose they are', () => {
    const { targets, byOwner } = sweep;
    const worst = targets.slice(0, Math.floor(DISKS / 6)).map(({ name }) => name);
    expect(worst.every(name => Number(name.slice(2, 4)) % 6 === 0)).toBe(true);
    const even = Math.floor(DISKS / 2);
    expect(byOwner.map(({ owner, targets: count }) => [owner, count]).sort()).toEqual(
      [
        ['storage', even + 1],
        ['web team', DISKS - even],
        [null, 1 + failing().length - 1],
      ].sort(),
    );
  });

  test('a second sweep scans none again, but tries the failed ones anew', () => {
    const before = new Map(sweep.targets.map(target => [target.name, target]));
    const again = place.run(['sweep', wholeList(), '--out', out, '--force']);
    expect(again.status).toBe(3);
    expect(again.stderr).toContain(`${DISKS + 1} of ${sweep.summary.targets} targets were scanned before`);
    for (const { name, state, finishedAt } of sweepOf(out).targets) {
      if (state === 'whole') expect([name, finishedAt]).toEqual([name, before.get(name)?.finishedAt]);
      else expect(Date.parse(finishedAt ?? '')).toBeGreaterThan(Date.parse(before.get(name)?.finishedAt ?? ''));
    }
  });
});

describe.skipIf(!CAN)('a sweep that is killed', () => {
  /** Targets whose scan counts, as the state says. */
  function settled(state: string): Map<string, { readonly finishedAt: string }> {
    if (!existsSync(state)) return new Map();
    const database = new Database(state, { readonly: true });
    try {
      const rows = database.prepare('SELECT name, result FROM target WHERE result IS NOT NULL').all();
      return new Map((rows as { name: string; result: string }[]).map(row => [row.name, JSON.parse(row.result)]));
    } catch (error) {
      if (error instanceof Error && /locked|no such table/.test(error.message)) return new Map();
      throw error;
    } finally {
      database.close();
    }
  }

  test('goes on: nothing is scanned twice, nothing skipped', async () => {
    const file = list('killed.csv', [
      'name,image,owner',
      `,images/${SOME},"web, and storage"`,
      'gone,images/gone.img,',
    ]);
    const out = place.at('killed');
    const args = ['sweep', file, '--out', out, '--jobs', '1'];
    const state = `${out}/.lostwrite-sweep/state.db`;
    const first = place.start(args);
    while (settled(state).size < 3 && first.child.exitCode === null) await sleep(20);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    const before = settled(state);
    expect(before.size).toBeGreaterThanOrEqual(3);
    expect(before.size).toBeLessThan(some().length);

    const second = place.run(args);
    expect(second.status).toBe(3);
    expect(second.stderr).toContain(`${before.size} of ${some().length + 1} targets were scanned before`);
    const sweep = sweepOf(out);
    expect(sweep.targets.map(({ name }) => name).sort()).toEqual([...some(), 'gone'].sort());
    expect(sweep.summary).toMatchObject({ whole: some().length, failed: 1, notStarted: 0 });
    for (const { name, finishedAt, attempts, report, state: how } of sweep.targets) {
      const text = JSON.parse(readFileSync(`${out}/${report}`, 'utf8'));
      expect([name, text.run.finishedAt]).toEqual([name, finishedAt]);
      if (before.has(name)) expect([name, finishedAt]).toEqual([name, before.get(name)?.finishedAt]);
      expect([name, attempts]).toEqual([name, how === 'failed' ? 2 : 1]);
    }
    expect(readdirSync(`${out}/.lostwrite-sweep`).sort()).toEqual(['state.db', 'state.db-lock']);
    expect(sweep.byOwner).toContainEqual(
      expect.objectContaining({ owner: 'web, and storage', targets: some().length }),
    );
  });

  test('between the state and the last step of a report: that step is made up for', () => {
    const out = place.at('killed');
    const file = place.at('killed.csv');
    const database = new Database(`${out}/.lostwrite-sweep/state.db`);
    const { key } = database.prepare("SELECT key FROM target WHERE name = 'vm01.qcow2'").get() as { key: string };
    database.close();
    const report = readFileSync(`${out}/vm01.qcow2.json`, 'utf8');
    tool('mv', `${out}/vm01.qcow2.json`, `${out}/.lostwrite-sweep/${key}.json`);
    expect(place.run(['sweep', file, '--out', out]).stderr).toContain(
      `${some().length} of ${some().length + 1} targets`,
    );
    expect(readFileSync(`${out}/vm01.qcow2.json`, 'utf8')).toBe(report);
  });

  test('leaves no process behind, not even one whose disk does not answer', async ({ skip }) => {
    skip(silent === null, 'there is no disk that does not answer');
    const started = place.start(['sweep', list('silent.yaml', ['- image: silent.img']), '--out', place.at('silent')]);
    const { pid } = started.child;
    const children = (): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const isStuck = (): boolean =>
      children()
        .split(' ')
        .some(child => child !== '' && hangsIn(child));
    while (!isStuck() && started.child.exitCode === null) await sleep(20);
    const left = children().split(' ');
    started.child.kill('SIGKILL');
    expect((await started.ended).signal).toBe('SIGKILL');
    for (const child of left) while (existsSync(`/proc/${child}`)) await sleep(20);
  });

  test('an image that has changed since is scanned again, and with --resume never all are', () => {
    const [out, file] = [place.at('killed'), place.at('killed.csv')];
    const before = new Map(sweepOf(out).targets.map(target => [target.name, target.finishedAt]));
    tool('touch', '-d', '@1000000000', `${platform.images}/vm02.img`);
    place.run(['sweep', file, '--out', out]);
    const changed = sweepOf(out).targets.filter(({ name, finishedAt }) => finishedAt !== before.get(name));
    expect(changed.map(({ name }) => name).sort()).toEqual(['gone', 'vm02.img']);
    place.run(['sweep', file, '--out', out, '--resume', 'never']);
    const all = sweepOf(out).targets.filter(({ name, finishedAt }) => finishedAt !== before.get(name));
    expect(all).toHaveLength(some().length + 1);
  });
});

describe.skipIf(!CAN)('Ctrl-C in a sweep', () => {
  test('a summary that says what was not scanned, exit code 3; the next one goes on', async () => {
    const file = list('stopped.yaml', [`- {image: images/${SOME}}`]);
    const out = place.at('stopped');
    const args = ['sweep', file, '--out', out, '--jobs', '1'];
    const first = place.start(args);
    while (!first.stderr.includes('2 of ') && first.child.exitCode === null) await sleep(10);
    first.child.kill('SIGINT');
    const { status, stdout } = await first.ended;
    expect(status).toBe(3);
    const stopped = sweepOf(out);
    expect(stopped.summary.notStarted).toBeGreaterThan(0);
    expect(stdout).toContain('not scanned yet: the sweep was interrupted');
    const next = place.run(args);
    expect(next.stderr).toContain(`${stopped.summary.whole} of ${some().length} targets were scanned before`);
    expect(next.status).toBe(1);
    expect(sweepOf(out).summary).toMatchObject({ whole: some().length, notStarted: 0 });
  });
});

describe.skipIf(!CAN)('a target of a sweep', () => {
  test('is compared with its own baseline, which many read at once', () => {
    for (const name of platform.disks.slice(0, 4)) {
      expect(place.baseline(`${platform.images}/${name}`, name).status).toBe(0);
    }
    const file = list('baselines.json', [
      JSON.stringify(platform.disks.slice(0, 4).map(name => ({ name, image: `images/${name}`, baseline: name }))),
    ]);
    const out = place.at('compared');
    const { status } = place.run(['sweep', file, '--out', out, '--store', place.store, '--jobs', '4']);
    expect(status).toBe(0);
    for (const { name, report } of sweepOf(out).targets) {
      const { references } = JSON.parse(readFileSync(`${out}/${report}`, 'utf8'));
      expect(references.map(({ kind }: { kind: string }) => kind)).toEqual(['packages', 'baseline']);
      expect(references[1].id).toMatch(new RegExp(`^baseline:${name}@`));
    }
    const without = place.run(['sweep', file, '--out', place.at('nowhere'), '--store', place.at('no.db')]);
    expect(without.status).toBe(3);
    expect(without.stderr).toContain(`store ${place.at('no.db')} does not exist`);
  });

  test('is compared with images of before, oldest first', () => {
    const [old, now] = [`${platform.images}/vm04.img`, place.at('now.img')];
    tool('cp', old, now);
    tool('debugfs', '-w', '-R', 'rm /srv/own', now);
    const file = list('before.yaml', [`- {name: vm04, image: now.img, before: [images/vm04.img]}`]);
    const out = place.at('before');
    expect(place.run(['sweep', file, '--out', out]).status).toBe(1);
    const { references, findings } = JSON.parse(readFileSync(`${out}/vm04.json`, 'utf8'));
    expect(references.map(({ id }: { id: string }) => id)).toContain(`before:${old}`);
    expect(findings.map(({ path }: { path: string }) => path)).toContain('/srv/own');
    expect(readdirSync(`${out}/.lostwrite-sweep`).sort()).toEqual(['state.db', 'state.db-lock']);
  });

  test('is never written to, nor are reports put on its file system', () => {
    const image = `${platform.images}/vm04.img`;
    const { mtimeNs, ctimeNs } = statSync(image, { bigint: true });
    place.run(['sweep', list('one.yaml', ['- image: images/vm04.img']), '--out', place.at('one')]);
    expect(statSync(image, { bigint: true })).toMatchObject({ mtimeNs, ctimeNs });
    const refused = place.run(['sweep', list('tree.yaml', ['- path: tree']), '--out', place.at('tree', 'reports')]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toBe(
      `lostwrite: ${place.at('tree.yaml')}:1: the folder ${place.at('tree', 'reports')} would lie on the scanned file system: ` +
        'name another place with --out, or insist with --force\n',
    );
  });
});
