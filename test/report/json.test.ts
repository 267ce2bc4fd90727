import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { hasProgram } from '../../fixtures/incident/processes.ts';
import { VERDICTS } from '../../src/model.ts';
import { renderJson } from '../../src/report/json.ts';
import type { Report } from '../../src/report/report.ts';
import { incidentReport } from './incident.ts';
import { schemaErrors } from './report-validator.ts';
import { findingOf, reportOf, statOf, VOLUME } from './sample-report.ts';

const hasJq = hasProgram('jq');
if (!hasJq) process.stderr.write('json: one test is skipped: jq is not installed\n');

const textOf = (report: Report): string => [...renderJson(report)].join('');
const wireOf = (report: Report) => JSON.parse(textOf(report));

/** The contract's words as a shell command. */
function idBySha256sum(volume: string, path: string, verdict: string): string {
  const input = Buffer.concat([Buffer.from(`${volume}\0`), Buffer.from(path, 'latin1'), Buffer.from(`\0${verdict}`)]);
  return execFileSync('sha256sum', { input, encoding: 'utf8' }).slice(0, 20);
}

describe('the head of a report', () => {
  const report = reportOf([], {
    window: { fromNs: 1_401_667_200_000_000_000n, toNs: null },
    target: {
      kind: 'image',
      name: 'vm042',
      path: '/images/vm042.qcow2',
      container: 'qcow2',
      volumes: [
        {
          ...VOLUME,
          label: 'root',
          offset: 1_048_576,
          size: 10_737_418_240,
          state: 'dirty',
          replayed: true,
          repairedAtNs: 1_402_200_000_000_000_000n,
          log: { fromNs: 1_402_000_000_000_000_000n, toNs: null, holes: 2 },
          gates: ['journal-wrapped'],
        },
      ],
    },
    references: [
      { id: 'dpkg', kind: 'packages', files: 12_345, atNs: null, vouches: 'content', complete: false },
      { id: 'baseline:n@x', kind: 'baseline', files: 3, atNs: 1n, vouches: 'not-garbage', complete: true },
    ],
    coverage: {
      byReference: new Map([['dpkg', 12_000]]),
      unvouched: 7,
      skipped: [{ volume: 0, path: '/caf\xe9', reason: 'permission' }],
    },
    blocks: [
      { volume: 0, block: 1234, role: 'inode-table', rule: 'newer-copy-in-journal', confidence: 'proven', entries: 16 },
    ],
    orphans: [
      {
        volume: 0,
        inode: 12n,
        generation: 1,
        sizeBytes: 5,
        digest: 'sha256:00ff',
        candidates: ['/srv/x', '/srv/\xff'],
      },
      { volume: 0, inode: 13n, generation: null, sizeBytes: 6, digest: null, candidates: ['/srv/y'] },
    ],
    extents: [
      {
        offset: 4_194_304,
        length: 4_194_304,
        suspect: true,
        findings: 1,
        paths: [{ volume: 0, path: '/srv/\xff' }],
        residents: 17,
        others: [{ volume: 0, path: '/etc' }],
        structures: [{ volume: 0, role: 'inode-table', bytes: 8192 }],
        freeBytes: 4096,
        outsideBytes: 512,
      },
    ],
    errors: [{ path: '/var/lib/dpkg/status', code: 'EIO', message: 'cannot be read' }],
  });

  test('holds exactly these values', () => {
    expect(wireOf(report)).toEqual({
      format: 'lostwrite-report',
      version: 1,
      tool: { name: 'lostwrite', version: '0.1.0' },
      run: { id: 'b1946ac9', startedAt: '2014-06-09T03:00:00Z', finishedAt: '2014-06-09T03:12:31Z', complete: true },
      target: {
        kind: 'image',
        name: 'vm042',
        path: '/images/vm042.qcow2',
        container: 'qcow2',
        volumes: [
          {
            index: 0,
            filesystem: 'ext4',
            uuid: '0b6f3c1e-90a5-4e0c-8c2b-5d7a4f1f2a10',
            label: 'root',
            offset: 1_048_576,
            size: 10_737_418_240,
            state: 'dirty',
            replayed: true,
            repairedAt: '2014-06-08T04:00:00Z',
            hot: false,
            log: { from: '2014-06-05T20:26:40Z', to: null, holes: 2 },
            gates: ['journal-wrapped'],
          },
        ],
      },
      window: { from: '2014-06-02T00:00:00Z', to: null },
      references: [
        { id: 'dpkg', kind: 'packages', files: 12_345, at: null, vouches: 'content' },
        {
          id: 'baseline:n@x',
          kind: 'baseline',
          files: 3,
          at: '1970-01-01T00:00:00.000000001Z',
          vouches: 'not-garbage',
        },
      ],
      summary: {
        files: 100,
        directories: 10,
        bytesRead: 4096,
        durationMs: 751_000,
        vouched: 0,
        atRisk: 0,
        hasFindings: false,
        verdicts: { unreadable: 0, garbage: 0, stale: 0, missing: 0, resurrected: 0, altered: 0, suspect: 0 },
      },
      coverage: {
        byReference: { dpkg: 12_000 },
        unvouched: 7,
        skipped: [{ volume: 0, path: '/caf\ufffd', pathBase64: 'L2NhZuk=', reason: 'permission' }],
      },
      findings: [],
      blocks: [
        {
          volume: 0,
          block: 1234,
          role: 'inode-table',
          rule: 'newer-copy-in-journal',
          confidence: 'proven',
          entries: 16,
        },
      ],
      orphans: [
        {
          volume: 0,
          inode: 12,
          generation: 1,
          size: 5,
          digest: 'sha256:00ff',
          candidates: ['/srv/x', '/srv/\ufffd'],
          candidatesBase64: ['L3Nydi94', 'L3Nydi//'],
        },
        { volume: 0, inode: 13, generation: null, size: 6, digest: null, candidates: ['/srv/y'] },
      ],
      extents: [
        {
          offset: 4_194_304,
          length: 4_194_304,
          suspect: true,
          findings: 1,
          paths: [{ volume: 0, path: '/srv/\ufffd', pathBase64: 'L3Nydi//' }],
          residents: 17,
          others: [{ volume: 0, path: '/etc' }],
          structures: [{ volume: 0, role: 'inode-table', bytes: 8192 }],
          freeBytes: 4096,
          outsideBytes: 512,
        },
      ],
      errors: [{ path: '/var/lib/dpkg/status', code: 'EIO', message: 'cannot be read' }],
    });
  });

  test('is valid by the shipped schema', () => {
    expect(schemaErrors(wireOf(report))).toEqual([]);
  });

  test('a window that was not given is null', () => {
    expect(wireOf(reportOf([])).window).toBeNull();
  });
});

describe('a finding', () => {
  const path = '/srv/caf\xe9\n';
  const finding = findingOf({
    path,
    confidence: 'proven',
    window: { file: 'inside', directory: 'later' },
    ranges: [
      { offset: 4096, length: 8192, state: 'stale', physical: 1_234_944, detail: 'generation of 2014-06-01' },
      { offset: 2 ** 53, length: 1, state: 'unknown', physical: null, detail: null },
    ],
    expected: { reference: 'dpkg', sizeBytes: 12_288, digest: 'md5:d41d8cd98f00b204e9800998ecf8427e', mtimeNs: 5n },
    observed: {
      sizeBytes: 12_289,
      digest: 'sha256:00',
      stat: statOf({
        mode: 0o4755,
        inode: 18_446_744_073_709_551_615n,
        generation: 4_294_967_295,
        mtimeNs: -1n,
        ctimeNs: 1_402_000_000_000_000_001n,
      }),
    },
    owner: { kind: 'package', name: 'bash', version: '5.2-1' },
    evidence: [{ scanner: 'packages', rule: 'digest-differs', supports: true, detail: 'It differs.' }],
    foundAt: '/lost+found/#\xff',
    recoverable: 'orphan',
    remedy: { action: 'reinstall', detail: 'Reinstall bash.', command: 'apt-get install --reinstall bash' },
  });

  test('holds exactly these values: bytes that are no UTF-8, 64-bit integers, nanoseconds', () => {
    expect(wireOf(reportOf([finding])).findings).toEqual([
      {
        id: idBySha256sum('0b6f3c1e-90a5-4e0c-8c2b-5d7a4f1f2a10', path, 'stale'),
        path: '/srv/caf\ufffd\n',
        pathBase64: 'L3Nydi9jYWbpCg==',
        volume: 0,
        type: 'file',
        verdict: 'stale',
        confidence: 'proven',
        metadataOnly: false,
        window: { file: 'inside', directory: 'later' },
        ranges: [
          { offset: 4096, length: 8192, state: 'stale', physical: 1_234_944, detail: 'generation of 2014-06-01' },
          { offset: '9007199254740992', length: 1, state: 'unknown', physical: null, detail: null },
        ],
        expected: {
          reference: 'dpkg',
          size: 12_288,
          digest: 'md5:d41d8cd98f00b204e9800998ecf8427e',
          mtime: '1970-01-01T00:00:00.000000005Z',
        },
        observed: {
          size: 12_289,
          digest: 'sha256:00',
          mtime: '1969-12-31T23:59:59.999999999Z',
          ctime: '2014-06-05T20:26:40.000000001Z',
          inode: '18446744073709551615',
          generation: 4_294_967_295,
          mode: '4755',
        },
        owner: { kind: 'package', name: 'bash', version: '5.2-1' },
        evidence: [{ scanner: 'packages', rule: 'digest-differs', supports: true, detail: 'It differs.' }],
        cause: null,
        foundAt: '/lost+found/#\ufffd',
        foundAtBase64: 'L2xvc3QrZm91bmQvI/8=',
        recoverable: 'orphan',
        remedy: { action: 'reinstall', detail: 'Reinstall bash.', command: 'apt-get install --reinstall bash' },
      },
    ]);
  });

  test('is valid by the shipped schema, which does see what is wrong', () => {
    const wire = wireOf(reportOf([finding]));
    expect(schemaErrors(wire)).toEqual([]);
    wire.findings[0].verdict = 'damaged';
    wire.findings[0].observed.mtime = '2014-06-31T00:00:00Z';
    expect(schemaErrors(wire)).toEqual(
      expect.arrayContaining([
        '/findings/0/verdict must be equal to one of the allowed values',
        '/findings/0/observed/mtime must match format "date-time"',
      ]),
    );
  });

  test('UTF-8 names carry no base64, and every part that is not known is null', () => {
    const [wire] = wireOf(reportOf([findingOf({ path: '/caf\xc3\xa9', type: null })])).findings;
    expect(wire.path).toBe('/café');
    expect(wire).not.toHaveProperty('pathBase64');
    expect(wire).toMatchObject({
      type: null,
      expected: null,
      observed: null,
      owner: null,
      foundAt: null,
      remedy: null,
    });
  });

  test('a time beyond the year 9999 is null', () => {
    const stat = statOf({ mtimeNs: 2n ** 63n * 1000n });
    const [wire] = wireOf(
      reportOf([findingOf({ path: '/a', observed: { sizeBytes: 0, digest: null, stat } })]),
    ).findings;
    expect(wire.observed.mtime).toBeNull();
  });

  test('on a volume without a UUID the index stands for it', () => {
    const target = {
      ...reportOf([]).target,
      volumes: [
        { ...VOLUME, uuid: null },
        { ...VOLUME, index: 3, uuid: null },
      ],
    };
    const [wire] = wireOf(reportOf([findingOf({ path: '/a', volume: 3 })], { target })).findings;
    expect(wire.id).toBe(idBySha256sum('3', '/a', 'stale'));
  });
});

describe('the cause of a finding', () => {
  const uuid = VOLUME.uuid ?? '';

  test('is the id of the directory above it, with the verdict which that one had', () => {
    const { findings } = wireOf(
      reportOf([
        findingOf({ path: '/srv', verdict: 'unreadable', type: 'directory' }),
        findingOf({ path: '/srv/a', verdict: 'missing', type: 'directory', causePath: '/srv' }),
        findingOf({ path: '/srv/a/b', verdict: 'missing', causePath: '/srv' }),
        findingOf({ path: '/srv/a/c', verdict: 'missing', causePath: '/srv/a' }),
        findingOf({ path: '/srv-2', verdict: 'stale' }),
      ]),
    );
    expect(findings.map((finding: { cause: string | null }) => finding.cause)).toEqual([
      null,
      idBySha256sum(uuid, '/srv', 'unreadable'),
      idBySha256sum(uuid, '/srv', 'unreadable'),
      idBySha256sum(uuid, '/srv/a', 'missing'),
      null,
    ]);
  });

  test('may be the root of its volume, never that of another volume', () => {
    const { findings } = wireOf(
      reportOf([
        findingOf({ path: '/', verdict: 'unreadable', type: 'directory' }),
        findingOf({ path: '/x', verdict: 'missing', causePath: '/' }),
        findingOf({ path: '/x', volume: 1, verdict: 'missing', causePath: '/' }),
      ]),
    );
    expect(findings[1].cause).toBe(idBySha256sum(uuid, '/', 'unreadable'));
    expect(findings[2].cause).toBeNull();
  });
});

describe('the text', () => {
  test('of a whole incident is valid, in the order of the findings, and ends with a newline', () => {
    const report = incidentReport();
    const wire = wireOf(report);
    expect(schemaErrors(wire)).toEqual([]);
    expect(wire.findings).toHaveLength(355);
    expect(textOf(report).endsWith('\n}\n')).toBe(true);
  });

  test('holds one finding a line and nothing that steers a terminal', () => {
    const text = textOf(reportOf([findingOf({ path: '/\x1b[2J\xc2\x9b\xe2\x80\xae' }), findingOf({ path: '/\x7f' })]));
    expect(text.split('\n').filter(line => line.startsWith('{"id":"'))).toHaveLength(2);
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(JSON.parse(text).findings[0].path).toBe('/\x1b[2J\u009b\u202e');
  });

  test.skipIf(!hasJq)('is read by jq as it is by JavaScript', () => {
    const report = reportOf(VERDICTS.map(verdict => findingOf({ path: `/${verdict}`, verdict })));
    const paths = execFileSync('jq', ['-r', '.findings[].path'], { input: textOf(report), encoding: 'utf8' });
    expect(paths.trim().split('\n')).toEqual(VERDICTS.map(verdict => `/${verdict}`));
  });

  test('is made while the findings are drawn: never more than a chunk of them is held', () => {
    let drawn = 0;
    function* many() {
      for (; drawn < 100_000; drawn += 1) yield findingOf({ path: `/f${drawn}` });
    }
    const chunks = renderJson(reportOf([], { findings: many }));
    const first = chunks.next();
    expect(drawn).toBeLessThan(1000);
    expect(first.done).toBe(false);
    let longest = 0;
    for (const chunk of chunks) longest = Math.max(longest, chunk.length);
    expect(drawn).toBe(100_000);
    expect(longest).toBeLessThan(70_000);
  });
});
