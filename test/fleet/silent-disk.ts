// A disk that does not answer: a file of its own tiny FUSE file system, which opens and has a size, and of which no read ever
// comes back. Only a killed reader is let go. It speaks the kernel's protocol by itself (include/uapi/linux/fuse.h).

import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { IS_ROOT, skipping } from '../e2e/program.ts';

const SERVER = `
import ctypes, errno, os, struct, sys, threading
point, size = sys.argv[1], int(sys.argv[2])
INIT, GETATTR, OPEN, READ, RELEASE, FORGET, INTERRUPT = 26, 3, 14, 15, 18, 2, 36
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = b"fd=%d,rootmode=100000,user_id=0,group_id=0" % fd
if libc.mount(b"silent", point.encode(), b"fuse.silent", 0, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
def end_with_parent():
    sys.stdin.read()
    libc.umount2(point.encode(), 2)  # MNT_DETACH
    os._exit(0)
threading.Thread(target=end_with_parent, daemon=True).start()
print("mounted", flush=True)
attributes = struct.pack("<QIIQQQQQQIIIIIIIIII", 3600, 0, 0, 1, size, 0, 0, 0, 0, 0, 0, 0, 0o100644, 1, 0, 0, 0, 4096, 0)
answers = {
    INIT: struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0, *[0] * 7),
    GETATTR: attributes,
    OPEN: struct.pack("<QII", 1, 0, 0),
    RELEASE: b"",
}
def answer(unique, error, body=b""):
    try:
        os.write(fd, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)
    except FileNotFoundError:
        pass  # who asked has gone
while True:
    try:
        request = os.read(fd, 1 << 20)
    except OSError as error:
        if error.errno == errno.ENODEV:
            break
        raise
    opcode, unique = struct.unpack_from("<IQ", request, 4)
    if opcode in (READ, FORGET):
        continue
    if opcode == INTERRUPT:
        answer(struct.unpack_from("<Q", request, 40)[0], errno.EINTR)
    elif opcode in answers:
        answer(unique, 0, answers[opcode])
    else:
        answer(unique, errno.ENOSYS)
`;

export interface SilentDisk {
  /** Lets every reader go, and unmounts; so does the end of this process, whatever brings it about. */
  end(): Promise<void>;
}

/** Mounts it upon a file that is made for it. Null, with the reason on standard error, where there is no FUSE. */
export async function mountSilentDisk(path: string, sizeBytes: number): Promise<SilentDisk | null> {
  if (!IS_ROOT || !existsSync('/dev/fuse')) return skipping('a disk that does not answer needs root and /dev/fuse');
  writeFileSync(path, '');
  const server = spawn('python3', ['-c', SERVER, path, String(sizeBytes)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const isMounted = await new Promise<boolean>(resolve => {
    server.stdout.once('data', () => resolve(true));
    server.once('error', () => resolve(false));
    server.once('exit', () => resolve(false));
  });
  if (!isMounted) return skipping('a disk that does not answer needs python3 and a kernel that mounts FUSE');
  return {
    end: () =>
      new Promise(resolve => {
        server.once('exit', () => resolve());
        server.stdin.end();
      }),
  };
}
