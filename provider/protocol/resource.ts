import type { Detail } from "./diff";
import type { Properties } from "./values";

/** How a call tells the operator something. Every method resolves when the engine has taken the line. */
export interface Log {
  /** Progress, `[2/6] validate synapse`: shown while it runs, not kept. */
  step(message: string): Promise<void>;
  /** Kept and shown at the end of the run. */
  info(message: string): Promise<void>;
  warning(message: string): Promise<void>;
  /** Shown with `--debug` only. */
  debug(message: string): Promise<void>;
}

/** What every call that may reach a host gets besides its values. */
export interface Call {
  urn: string;
  /** The resource's logical name, e.g. `vps-homeserver`. */
  name: string;
  /** Look, never touch; answer what is known. */
  preview: boolean;
  /** `HEARTH_OFFLINE=1`: hosts are not contacted in Read and previews. */
  offline: boolean;
  log: Log;
  /** Aborted on Ctrl-C and when the engine dies. Abort looks at once; finish or undo what was begun. */
  signal: AbortSignal;
  /** The operator's `customTimeouts`; 0: the resource's own default. */
  timeoutSeconds: number;
}

/** What Check came to. */
export interface Checked {
  /** The inputs to go on with: defaults filled in, given secrets sealed and wrapped. */
  inputs: Properties;
  /** One message per fault, each starting with the path; none: the inputs are good. */
  faults: string[];
}

/** What Diff came to. */
export interface Difference {
  /** Leaf paths to what happens there, as the operator sees them. */
  details: Map<string, Detail>;
  /** Something changes that no detail shows: an input that concerns no operator, or what the resource itself tells. */
  silent?: boolean;
}

/** A resource as the engine keeps it. */
export interface State {
  /** Names the resource to a reader, e.g. `vps/homeserver`. */
  id: string;
  inputs: Properties;
  outputs: Properties;
  /** Read only: why the resource does not work although it is there; shown as warnings, and planned as an update. */
  unhealthy?: string[];
}

/**
 * One resource type. Values are plain JSON; secrets stay wrapped (`values.reveal` takes the wrappers off) and what a
 * method returns must wrap them again. Faults of the user or the host are thrown as `ProviderError`.
 */
export interface Resource {
  /** Reaches no host. `olds` are the inputs in the state, empty on create. Unknown values (previews) pass. */
  check(olds: Properties, news: Properties): Checked;
  /** Reaches no host. Compares inputs; `olds` are what Read observed. */
  diff(olds: Properties, news: Properties): Difference;
  /** With `preview` the inputs may hold unknowns and the id is ignored; outputs that are not known yet are `UNKNOWN`. */
  create(call: Call, inputs: Properties): Promise<{ id: string; outputs: Properties }>;
  /** What is on the host now; undefined only when it is certain that the resource is gone. */
  read(call: Call, state: State): Promise<State | undefined>;
  /** `state.inputs` are the observed ones. Returns the new outputs. */
  update(call: Call, state: State, news: Properties): Promise<Properties>;
  delete(call: Call, state: State): Promise<void>;
}
