// Runs the contract of file systems over each implementation.

import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { openFileBytes } from '../../src/bytes/file-bytes.ts';
import { openExt4 } from '../../src/filesystems/ext4/ext4-filesystem.ts';
import { openHostFilesystem } from '../../src/filesystems/host/host-filesystem.ts';
import { openXfs } from '../../src/filesystems/xfs/xfs-filesystem.ts';
import { bytesOfText } from '../../src/path.ts';
import { run } from './ext4/loop-mount.ts';
import { filesystemContract } from './filesystem-contract.ts';
import { makeXfs, whyNoXfsMount, withXfs } from './xfs/xfs-images.ts';

filesystemContract('a mounted tree', root => ({ filesystem: openHostFilesystem(bytesOfText(root)) }));

let count = 0;
const hasMke2fs = spawnSync('mke2fs', ['-V']).status === 0;
if (!hasMke2fs) process.stderr.write('contract of ext file systems skipped: no mke2fs\n');
for (const options of [
  ['-t', 'ext4'],
  ['-t', 'ext2', '-b', '1024'],
  ['-t', 'ext4', '-O', 'inline_data'],
]) {
  if (!hasMke2fs) continue;
  filesystemContract(`mke2fs ${options.join(' ')}`, root => {
    const image = `${tmpdir()}/lw-filesystem-contract-${process.pid}-${count++}.img`;
    execFileSync('mke2fs', ['-q', '-F', ...options, '-d', root, image, '8M']);
    return { filesystem: openExt4(openFileBytes(image)), close: () => rmSync(image) };
  });
}

const whyNoXfs = whyNoXfsMount();
if (whyNoXfs !== null) process.stderr.write(`contract of XFS skipped: ${whyNoXfs}\n`);
for (const options of [[], ['-b', 'size=1024']]) {
  if (whyNoXfs !== null) continue;
  filesystemContract(`mkfs.xfs ${options.join(' ')}`, root => {
    const image = `${tmpdir()}/lw-filesystem-contract-${process.pid}-${count++}.img`;
    const point = `${image}.mount`;
    makeXfs(image, 64 * 2 ** 20, options);
    withXfs(image, point, 'rw', () => run('cp', ['-a', `${root}/.`, point]));
    rmSync(point, { recursive: true });
    return { filesystem: openXfs(openFileBytes(image)), close: () => rmSync(image) };
  });
}
