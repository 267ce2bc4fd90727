#!/usr/bin/env bash
# Installs the Debian packages that tests compare with. Without them those tests are skipped, and say so. Needs root.
set -euo pipefail

packages=(
  aide            # an independent integrity checker, beside ours in bench/accuracy
  attr            # setfattr: extended attributes in test images
  debsums         # dpkg: what an independent checker finds
  e2fsprogs       # mkfs.ext4, debugfs, dumpe2fs, e2fsck: the file system's own tools
  fdisk           # sfdisk: MBR partition tables
  gdisk           # sgdisk: GPT partition tables
  git             # repositories in the simulated systems
  hashdeep        # the same, by digests alone
  jq              # reads the JSON report
  lvm2            # pvcreate, lvcreate, vgcfgrestore: volume groups, laid out without the kernel's help
  mount           # loop mounts, by the kernel
  python3         # system calls that Node does not have: fnmatch, openat2
  qemu-utils      # qemu-img, qemu-io: qcow2 images
  rsync           # an ordinary life between two states
  sqlite3         # reads the store
  strace          # which system calls a scan makes
  util-linux      # findmnt, losetup, mkswap
  xxhash          # xxhsum: hashes of blocks
  zstd            # compressed streams
  # volumes of other kinds, to tell apart:
  btrfs-progs cryptsetup-bin dosfstools exfatprogs ntfs-3g squashfs-tools xfsprogs
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
  echo "Every package that tests use is installed."
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends "${missing[@]}" </dev/null
