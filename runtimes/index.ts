import { native } from "./native";
import { quadlet } from "./quadlet";
import type { Runtime } from "./runtime";

/** The runtimes, by their word in the stack file. */
export const RUNTIMES = { native, quadlet } satisfies Record<string, Runtime>;
