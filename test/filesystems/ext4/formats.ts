// The formats in which images are made: mke2fs's options by what they are about.

/** A name, and mke2fs's options. */
export type Format = readonly [name: string, options: readonly string[]];

/** Tried on every push. */
export const FORMATS: readonly Format[] = [
  ['ext4, 4 KiB blocks', ['-t', 'ext4', '-b', '4096']],
  ['ext4, 1 KiB blocks', ['-t', 'ext4', '-b', '1024']],
  ['ext3', ['-t', 'ext3', '-b', '1024']],
  ['ext2', ['-t', 'ext2', '-b', '1024', '-I', '128']],
  ['group checksums only', ['-t', 'ext4', '-O', '^metadata_csum,uninit_bg', '-b', '1024']],
  ['inline data', ['-t', 'ext4', '-O', 'inline_data', '-b', '1024']],
  ['bigalloc, 1 KiB blocks', ['-t', 'ext4', '-O', 'bigalloc', '-C', '8192', '-b', '1024']],
  ['meta_bg', ['-t', 'ext4', '-O', 'meta_bg,^resize_inode', '-b', '1024', '-g', '1024']],
  ['no flex_bg', ['-t', 'ext4', '-O', '^flex_bg', '-b', '1024']],
  ['sparse_super2', ['-t', 'ext4', '-O', 'sparse_super2', '-b', '1024']],
  ['ea_inode', ['-t', 'ext4', '-O', 'ea_inode', '-b', '1024']],
  ['128-byte inodes', ['-t', 'ext4', '-I', '128']],
  ['no filetype, no dir_index', ['-t', 'ext4', '-O', '^filetype,^dir_index', '-b', '1024']],
  ['quota and project', ['-t', 'ext4', '-O', 'quota,project', '-b', '1024']],
  ['ext4, 2 KiB blocks', ['-t', 'ext4', '-b', '2048']],
  ['verity, stable inodes, multi-mount protection', ['-t', 'ext4', '-O', 'verity,stable_inodes,mmp']],
];

/** With LOSTWRITE_LONG_TESTS set: these too. */
export const MORE_FORMATS: readonly Format[] = [
  ['ext2, 4 KiB blocks', ['-t', 'ext2', '-b', '4096']],
  ['no extents', ['-t', 'ext4', '-O', '^extent,^64bit', '-b', '1024']],
  ['no metadata checksums', ['-t', 'ext4', '-O', '^metadata_csum']],
  ['inline data, large inodes', ['-t', 'ext4', '-O', 'inline_data', '-I', '1024', '-b', '4096']],
  ['bigalloc', ['-t', 'ext4', '-O', 'bigalloc', '-C', '16384', '-b', '4096']],
  ['no 64bit', ['-t', 'ext4', '-O', '^64bit']],
  ['large_dir', ['-t', 'ext4', '-O', 'large_dir', '-b', '1024']],
  ['checksum seed', ['-t', 'ext4', '-O', 'metadata_csum_seed', '-b', '1024']],
  ['fast_commit', ['-t', 'ext4', '-O', 'fast_commit']],
  ['orphan_file', ['-t', 'ext4', '-O', 'orphan_file', '-b', '1024']],
  ['no journal', ['-t', 'ext4', '-O', '^has_journal', '-b', '1024']],
];
