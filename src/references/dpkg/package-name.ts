// What may be the name, architecture and version of a package: deb-control(5), a little wider, since older packages have
// capitals and underscores. Whatever passes needs no quoting in a shell.

const PACKAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]*$/;
const ARCHITECTURE = /^[A-Za-z0-9][A-Za-z0-9-]*$/;
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.+:~_-]*$/;

export function isPackageName(text: string): boolean {
  return PACKAGE_NAME.test(text);
}

export function isArchitecture(text: string): boolean {
  return ARCHITECTURE.test(text);
}

export function isVersion(text: string): boolean {
  return VERSION.test(text);
}
