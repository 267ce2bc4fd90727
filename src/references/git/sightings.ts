// What the listing of a tree shows of git: its repositories, and the files that may have content converted.

import type { Entry } from '../../filesystems/filesystem.ts';

const USERS_ATTRIBUTES = ['/etc/gitattributes', '/git/attributes'];
const USERS_SETTINGS = ['/.gitconfig', '/etc/gitconfig', '/git/config'];

export class GitSightings {
  /** Each `.git`: a directory, or a file that names one. */
  readonly repositories: Entry[] = [];
  /** In working trees. */
  readonly attributes: Entry[] = [];
  /** Of the system and of its users, for all of their repositories. */
  readonly usersAttributes: Entry[] = [];
  readonly usersSettings: Entry[] = [];

  /** To be told of every entry, in any order. */
  look(entry: Entry): void {
    const { path } = entry;
    if (!path.includes('git') || entry.viaSecondName) return;
    if (path.endsWith('/.git')) this.repositories.push(entry);
    else if (path.endsWith('/.gitattributes')) this.attributes.push(entry);
    else if (USERS_ATTRIBUTES.some(end => path.endsWith(end))) this.usersAttributes.push(entry);
    else if (USERS_SETTINGS.some(end => path.endsWith(end))) this.usersSettings.push(entry);
  }
}
