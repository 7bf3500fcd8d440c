/**
 * A secret of the operator, in the parsed section that needs it. It shows itself to nobody: JSON and logs of a configuration have no
 * text in its place. Components get it as a secret output (secret-output.ts).
 */
export class GivenSecret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text; whoever calls this must keep it secret. */
  reveal(): string {
    return this.#text;
  }
}
