import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type ImageOptions, openImage } from '../../src/bytes/open-image.ts';
import { qcow2Header } from '../../src/bytes/qcow2/layout.ts';
import { DamageError, UnsupportedError, UsageError } from '../../src/errors.ts';
import { hasTool, run, scratchFolder } from './disk-fixtures.ts';

// Many runs of tools; other work may slow them down.
vi.setConfig({ testTimeout: 60_000 });

const hasQemu = hasTool('qemu-img');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

function create(name: string, ...options: readonly string[]): string {
  const image = scratch.path(name);
  run('qemu-img', 'create', '-f', 'qcow2', ...options, image, '1M');
  return image;
}

/** An image whose header names this backing file, whatever it is. */
function backedBy(name: string, backing: string, format = 'raw'): string {
  const image = create(name);
  run('qemu-img', 'rebase', '-u', '-b', backing, '-F', format, image);
  return image;
}

function patched(name: string, image: string, change: (bytes: Buffer) => void): string {
  const bytes = readFileSync(image);
  change(bytes);
  writeFileSync(scratch.path(name), bytes);
  return scratch.path(name);
}

type TypedError = typeof UsageError | typeof UnsupportedError | typeof DamageError;

function expectRefusal(image: string, type: TypedError, message: string, options: ImageOptions = {}): void {
  const attempt = () => openImage(image, options);
  expect(attempt).toThrow(type);
  expect(attempt).toThrow(message);
}

describe.skipIf(!hasQemu)('a backing file', () => {
  it('outside the folder of the image is refused unless its folder is allowed', () => {
    mkdirSync(scratch.path('inner'));
    mkdirSync(scratch.path('other'));
    writeFileSync(scratch.path('other', 'base'), 'secret');
    const base = scratch.path('other', 'base');
    for (const name of ['../other/base', base]) {
      const image = backedBy('inner/top.qcow2', name);
      const hint = `${image}: the backing file ${base} lies outside the image's folder: allow it with --allow-backing ${scratch.path('other')}`;
      expectRefusal(image, UsageError, hint);
      const opened = openImage(image, { allowBacking: [scratch.path('other')] });
      const into = Buffer.alloc(6);
      opened.bytes.read(into, 0);
      expect(into.toString()).toBe('secret');
      opened.bytes.close?.();
    }
  });

  it('inside the folder that is a link to one outside is refused', () => {
    symlinkSync(scratch.path('other', 'base'), scratch.path('inner', 'link'));
    expectRefusal(backedBy('inner/linked.qcow2', 'link'), UsageError, 'lies outside');
  });

  it('in a folder below, which refers to one in the folder above it, is followed', () => {
    mkdirSync(scratch.path('tree', 'below'), { recursive: true });
    writeFileSync(scratch.path('tree', 'base'), 'base');
    backedBy('tree/below/middle.qcow2', '../base');
    const image = openImage(backedBy('tree/top.qcow2', 'below/middle.qcow2', 'qcow2'));
    expect(image.paths.at(-1)).toBe(scratch.path('tree', 'base'));
    image.bytes.close?.();
  });

  it('may be named with "file:", and with a colon behind a slash', () => {
    writeFileSync(scratch.path('a:b'), '');
    for (const name of ['file:a:b', './a:b']) openImage(backedBy('colon.qcow2', name)).bytes.close?.();
  });

  it('that is no plain path is refused', () => {
    const json = 'json:{"driver":"nbd","host":"example.org"}';
    expectRefusal(
      backedBy('json.qcow2', json),
      UnsupportedError,
      'the backing file is given as "json:", only plain paths are read',
    );
    expectRefusal(backedBy('nbd.qcow2', 'nbd://127.0.0.1'), UnsupportedError, 'given as "nbd:"');
  });

  it('that is absent, of another format or not what is recorded is refused', () => {
    expectRefusal(
      backedBy('absent.qcow2', 'nowhere'),
      UsageError,
      `the backing file ${scratch.path('nowhere')} cannot be had: no such file or directory`,
    );
    writeFileSync(scratch.path('plain'), 'plain bytes');
    expectRefusal(
      backedBy('vmdk.qcow2', 'plain', 'vmdk'),
      UnsupportedError,
      'backing files of format "vmdk" are not supported',
    );
    expectRefusal(
      backedBy('wrong.qcow2', 'plain', 'qcow2'),
      DamageError,
      'found another magic, expected that of qcow2',
    );
  });

  it('that leads back into the chain is refused', () => {
    expectRefusal(
      backedBy('self.qcow2', 'self.qcow2', 'qcow2'),
      DamageError,
      'a file that is not in the chain already',
    );
    backedBy('one.qcow2', 'two.qcow2', 'qcow2');
    expectRefusal(backedBy('two.qcow2', 'one.qcow2', 'qcow2'), DamageError, 'a file that is not in the chain already');
  });

  it('ends a chain that is too long', () => {
    writeFileSync(scratch.path('0.qcow2'), readFileSync(create('last.qcow2')));
    for (let link = 1; link < 40; link++) {
      copyFileSync(scratch.path('last.qcow2'), scratch.path(`${link}.qcow2`));
      run('qemu-img', 'rebase', '-u', '-b', `${link - 1}.qcow2`, '-F', 'qcow2', scratch.path(`${link}.qcow2`));
    }
    openImage(scratch.path('31.qcow2')).bytes.close?.();
    expectRefusal(scratch.path('32.qcow2'), UnsupportedError, 'a chain of more than 32 files');
  });
});

describe.skipIf(!hasQemu)('an image', () => {
  it('that is encrypted is refused', () => {
    const secret = ['--object', 'secret,id=s,data=123456', '-o', 'encrypt.format=aes,encrypt.key-secret=s'];
    const aes = create('aes.qcow2', ...secret);
    expectRefusal(aes, UnsupportedError, 'the image is encrypted (AES)');
    const luks = patched('luks.qcow2', aes, bytes => bytes.writeUInt32BE(2, qcow2Header.fields.cryptMethod.offset));
    expectRefusal(luks, UnsupportedError, 'the image is encrypted (LUKS)');
  });

  it('that needs unknown features is refused by their names', () => {
    const image = patched('features.qcow2', create('features-base.qcow2'), bytes => {
      bytes.writeBigUInt64BE((1n << 9n) | (1n << 40n), 72);
      // The first entry of the feature name table is given to bit 9.
      const table = bytes.indexOf('6803f857', 0, 'hex') + 8;
      bytes[table + 1] = 9;
      bytes.fill(0, table + 2, table + 48).write('time travel', table + 2);
    });
    expectRefusal(image, UnsupportedError, 'needs qcow2 features that are not supported: time travel, bit 40');
  });

  it('of another version is refused', () => {
    const image = patched('version.qcow2', create('version-base.qcow2'), bytes => bytes.writeUInt32BE(4, 4));
    expectRefusal(image, UnsupportedError, 'qcow version 4 is not supported');
  });

  it('without the snapshot that is asked for is refused', () => {
    const image = create('snapshots.qcow2');
    expectRefusal(image, UsageError, 'no internal snapshot "x" (there: none)', { snapshot: 'x' });
    run('qemu-img', 'snapshot', '-c', 'there', image);
    expectRefusal(image, UsageError, 'no internal snapshot "x" (there: there)', { snapshot: 'x' });
    writeFileSync(scratch.path('raw'), 'bytes');
    expectRefusal(scratch.path('raw'), UsageError, 'a raw image has no internal snapshot "x"', { snapshot: 'x' });
  });

  for (const format of ['qed', 'parallels', 'qcow']) {
    it(`of format ${format} is recognised, and refused`, () => {
      const image = scratch.path(`other.${format}`);
      run('qemu-img', 'create', '-f', format, image, '4M');
      expect(() => openImage(image)).toThrow(UnsupportedError);
    });
  }

  it('leaves no descriptor behind when it is refused', () => {
    const probe = () => {
      const fd = openSync('/dev/null', 'r');
      closeSync(fd);
      return fd;
    };
    const before = probe();
    for (const name of ['self', 'two', 'json', 'absent', 'vmdk', 'wrong', 'luks', 'features', '32']) {
      expect(() => openImage(scratch.path(`${name}.qcow2`))).toThrow();
      expect(probe()).toBe(before);
    }
  });
});
