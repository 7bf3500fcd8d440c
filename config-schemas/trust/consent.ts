import { shellWord } from "../../provider/text";
import type { Fault } from "../language/fault";
import type { Confirmation } from "./confirmations";
import { confirm, confirmedFor, lineOf } from "./confirmed";

/**
 * What a run may do of what has to be confirmed. What previews do already has to be confirmed before. What only `up` does, and which
 * machine a host is, is confirmed by the first `up` of a stack here, which is the operator's own act; a later change of it is not.
 */
export class Consent {
  /** What was confirmed; undefined: nothing ever was for this stack. */
  private readonly confirmed: readonly string[] | undefined;
  private readonly missing: readonly Confirmation[];

  /**
   * @param file where confirmations are kept
   * @param needed everything in the stack that has to be confirmed
   * @param preview whether this run only looks
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

  /** One fault for everything that is not confirmed, if this run would already do some of it. */
  faults(): Fault[] {
    const known = this.confirmed !== undefined;
    const refused = ({ when }: Confirmation) =>
      when === "look" || (known && (when === "look again" || !this.preview));
    if (!this.missing.some(refused)) return [];
    return this.missing.map(({ path, says }) => ({
      path,
      problem: `${says}; this has to be confirmed on your machine once`,
      fix: `look whether that is what you want, then run: ${this.command()}`,
    }));
  }

  /** For a run without faults: keeps what an `up` confirms. Returns what a preview has to warn of. */
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
