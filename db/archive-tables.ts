/** A range of the ledger that is in a file: from then on it may be removed here. */
export interface ArchivesTable {
  last_seq: number;
  first_seq: number;
  /** When the last entry of it was made. */
  last_at_ms: number;
  entries: number;
  deliveries: number;
  /** `sha256:` and the digest of all lines of the file before its last, hexadecimal. */
  digest: string;
  /** Where the file was written. */
  file: string;
  archived_at_ms: number;
  /** The last organization, in the order of ids, whose ledger has an entry of it. */
  told_organization_id: string;
  /** When the range was removed; null: it is still being removed. */
  removed_at_ms: number | null;
}

/** The last entry of an organization that is in an archive. */
export interface ArchiveEndsTable {
  organization_id: string;
  last_seq: number;
  last_at_ms: number;
}
