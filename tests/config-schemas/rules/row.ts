import type { Change } from "../support";

/** For each rule: a stack that just follows it, a stack that breaks it, and the message for it. */
export interface Row {
  rule: string;
  good: Change;
  bad: Change;
  says: string[];
}
