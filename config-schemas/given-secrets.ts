import * as pulumi from "@pulumi/pulumi";
import type { PlainSecrets } from "./secrets";

/**
 * The operator's secrets, by their paths below `hearth:secrets`. Each is a separate output, so that nothing else becomes secret
 * with it. A new secret is one line in the schema (secrets.ts), one rule that says when it is needed, and one `at`.
 */
export class Secrets {
  private readonly values = new Map<string, pulumi.Output<string>>();

  constructor(plain: Partial<PlainSecrets>) {
    this.add([], plain);
  }

  private add(path: readonly string[], value: unknown): void {
    if (typeof value === "string") this.values.set(keyOf(path), pulumi.secret(value));
    else if (typeof value === "object" && value !== null)
      for (const [name, child] of Object.entries(value)) this.add([...path, name], child);
  }

  /** A secret that may be missing. */
  find(...path: readonly string[]): pulumi.Output<string> | undefined {
    return this.values.get(keyOf(path));
  }

  /** A secret that the stack needs; the rules have refused a stack without it. */
  at(...path: readonly string[]): pulumi.Output<string> {
    const secret = this.find(...path);
    if (secret === undefined)
      throw new Error(`no secret ${path.join(".")}, and no rule refused this stack; please report it`);
    return secret;
  }
}

/** Names of accounts contain dots. */
function keyOf(path: readonly string[]): string {
  return JSON.stringify(path);
}
