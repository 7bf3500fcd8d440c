/**
 * A secret of the operator, in the parsed section that needs it. JSON and logs of a configuration do not contain its text. Components
 * use it as a secret output (secret-output.ts).
 */
export class GivenSecret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text. The caller must keep it secret. */
  reveal(): string {
    return this.#text;
  }
}
