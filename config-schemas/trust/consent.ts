import { shellWord } from "../../provider/text";
import type { Fault } from "../language/fault";
import type { Confirmation } from "./confirmations";
import { confirm, confirmedFor, lineOf } from "./confirmed";

/**
 * Decides which of the actions that need a confirmation a run may do. Actions of previews must be confirmed before. The first `up` of
 * a stack on this machine confirms the actions of `up` and the hosts' addresses, because the operator starts it; it does not confirm
 * later changes.
 */
export class Consent {
  /** The confirmations for this stack; undefined: there never were any. */
  private readonly confirmed: readonly string[] | undefined;
  private readonly missing: readonly Confirmation[];

  /**
   * @param file the file of confirmations
   * @param needed everything in the stack that must be confirmed
   * @param preview whether this run is a preview
   */
  constructor(
    private readonly stack: string,
    private readonly file: string,
    private readonly needed: readonly Confirmation[],
    private readonly preview: boolean,
  ) {
    this.confirmed = confirmedFor(file, stack);
    this.missing = needed.filter((one) => !this.confirmed?.includes(lineOf(one)));
  }

  /** One fault for each unconfirmed action, if this run would already do some of them. */
  faults(): Fault[] {
    const known = this.confirmed !== undefined;
    const refused = ({ when }: Confirmation) =>
      when === "look" || (known && (when === "look again" || !this.preview));
    if (!this.missing.some(refused)) return [];
    return this.missing.map(({ path, says }) => ({
      path,
      problem: `${says}; you must confirm this once on your machine`,
      fix: `check whether you want this, then run: ${this.command()}`,
    }));
  }

  /** For a run without faults: saves the confirmations of an `up`. Returns the warnings of a preview. */
  keep(): string[] {
    if (this.preview) return this.missing.map((one) => `${lineOf(one)}; ${this.next()}`);
    if (this.missing.length > 0) confirm(this.file, this.stack, this.needed);
    return [];
  }

  private next(): string {
    return this.confirmed === undefined
      ? "the first pulumi up from here confirms it"
      : `pulumi up needs it confirmed: ${this.command()}`;
  }

  private command(): string {
    return `npx hearth trust -s ${shellWord(this.stack)}`;
  }
}
