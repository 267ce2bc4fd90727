// Makes a tree of what damage or malice may have made a net: each directory is at home under one name. Other names that lead
// to it are shown as a kernel's mount shows them, which moves the directory to the name that was looked up last.
// A directory belongs to the parent that its ".." names, if that parent names it; else to the first other directory that does.

import { type DirectorySurvey, surveyDirectories } from './directory-survey.ts';
import type { InodeVolume, NamedInode } from './inode-volume.ts';

/**
 * What a name is to the directory that it leads to: its home; a second name, under which it is shown again; or refused, as
 * the kernel refuses a name that leads to a directory above, or as what would repeat too much.
 */
export type NameKind = 'home' | 'second' | 'refused';

export class DirectoryTree<I extends NamedInode> {
  readonly #volume: InodeVolume<I>;
  /** Made once, when the first name is met that is not beyond doubt its directory's home. */
  #survey: DirectorySurvey | null = null;

  constructor(volume: InodeVolume<I>) {
    this.#volume = volume;
  }

  /**
   * Of the name of a directory `child` in the directory `parent`, that one being at home.
   * @param first whether no name before it in the listing of `parent` is the home of the same inode.
   */
  kindOf(parent: number, name: string, child: I, first: boolean): NameKind {
    if (child.number === this.#volume.rootInode || child.number === parent) return 'refused';
    if (first && this.#statedParent(child) === parent) return 'home';
    this.#survey ??= surveyDirectories(this.#volume);
    return this.#survey.kindOf(parent, name, child.number);
  }

  #statedParent(directory: I): number | null {
    try {
      return this.#volume.statedParent(directory);
    } catch (error) {
      this.#volume.damage.keep(error);
      return null;
    }
  }
}
