import type { Host } from "../sandbox/index";
import type { DesiredState } from "./desired";

/** What a contender works with. */
export interface Field {
  host: Host;
  /** Directory for its files. */
  directory: string;
}

/** A tool under measurement. Every call brings about, or looks at, the whole state, as its users would run it. */
export interface Contender {
  name: string;
  /** Writes its files for the state; not measured. */
  write(state: DesiredState): Promise<void>;
  /** Changes nothing and says what would change; returns the number of changes it found. */
  preview(): Promise<number>;
  /** Brings the state about; returns the number of changes it made. */
  apply(): Promise<number>;
}
