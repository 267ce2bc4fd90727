// What a person should know of a container or a partition table beyond its bytes: shown by `inspect`, kept in the report.

export interface Fact {
  /** Stable, kebab-case: `qcow2-dirty`, `gpt-backup-used`. */
  readonly name: string;
  /** One sentence or value. */
  readonly detail: string;
}
