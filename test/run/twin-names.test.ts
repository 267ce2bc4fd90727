// Names that stand for one file through its rewritings, as programs make them.

import { describe, expect, it } from 'vitest';
import { isTwin } from '../../src/run/twin-names.ts';

describe('twins', () => {
  it.each([
    ['/etc/fern.conf', '/etc/fern.conf'],
    ['/etc/fern.conf', '/etc/fern.conf.dpkg-new'],
    ['/etc/fern.conf.dpkg-old', '/etc/fern.conf.dpkg-dist'],
    ['/etc/fern.conf', '/etc/fern.conf.ucf-dist'],
    ['/var/lib/dpkg/status', '/var/lib/dpkg/status-old'],
    ['/var/log/syslog', '/var/log/syslog.1'],
    ['/var/log/syslog.1', '/var/log/syslog.2.gz'],
    ['/d/notes', '/d/notes~'],
    ['/d/notes', '/d/#notes#'],
    ['/d/notes', '/d/.notes.swp'],
    ['/d/file', '/d/.file.kX3bQ9'],
    ['/d/data.tmp', '/d/data'],
    ['/d/data', '/d/data.bak'],
    ['/f', '/f.new'],
  ])('%s and %s', (left, right) => {
    expect([isTwin(left, right), isTwin(right, left)]).toEqual([true, true]);
  });
});

describe('others', () => {
  it.each([
    ['/d/f', '/e/f'],
    ['/d/f', '/d/e/f'],
    ['/d/fern', '/d/moss'],
    ['/d/fern.c', '/d/fern.h'],
    ['/d/fern.conf', '/d/fern.json'],
    ['/d/new', '/d/old'],
    ['/d/.gitignore', '/d/.gitkeep'],
  ])('%s and %s', (left, right) => {
    expect([isTwin(left, right), isTwin(right, left)]).toEqual([false, false]);
  });
});

describe('a name of nothing but what programs add', () => {
  it.each(['/d/.1', '/d/~', '/d/#', '/d/.gz'])('%s is a twin of itself', path => {
    expect(isTwin(path, path)).toBe(true);
    expect(isTwin(path, '/d/fern')).toBe(false);
  });
});
