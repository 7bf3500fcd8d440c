import { native } from "./native";
import { quadlet } from "./quadlet";
import type { Runtime } from "./runtime";

/** How hosts run services, by the word for it in the stack file. */
export const RUNTIMES = { native, quadlet } satisfies Record<string, Runtime>;
