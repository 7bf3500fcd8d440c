import type { Change } from "../support";

/** Per rule: a stack that keeps it although it comes near, a stack that breaks it, and what is said then. */
export interface Row {
  rule: string;
  good: Change;
  bad: Change;
  says: string[];
}
