import type { Host } from "../sandbox/index";
import type { DesiredState } from "./desired";

/** The environment of a contender. */
export interface Field {
  host: Host;
  /** Directory for its files. */
  directory: string;
}

/** A measured tool. Every call applies or checks the whole state, as its users would run it. */
export interface Contender {
  name: string;
  /** Writes its files for the state; not measured. */
  write(state: DesiredState): Promise<void>;
  /** Changes nothing and reports what would change; returns the number of found changes. */
  preview(): Promise<number>;
  /** Applies the state; returns the number of changes. */
  apply(): Promise<number>;
}
