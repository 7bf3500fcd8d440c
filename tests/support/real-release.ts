import type { ReleaseInputs } from "../../provider/contract/release";
import type { Host } from "../../sandbox";
import type { FixtureStack } from "../fixtures/stacks";
import { type Answer, call } from "./host-programs";
import { DEBIAN_13, releasesOf, runProgram } from "./program";

/** Applies the components' releases to a sandbox host, like the provider, without the engine. */
export class RealReleases {
  private readonly instances = new Map<string, string>();

  constructor(
    readonly host: Host,
    readonly facts = DEBIAN_13,
  ) {}

  /** Applies one release of a stack; `edit` changes the component's release, to test the result on the host. */
  async apply(
    stack: FixtureStack,
    name: string,
    edit: (wanted: ReleaseInputs) => ReleaseInputs = (wanted) => wanted,
  ): Promise<Answer> {
    const wanted = await this.wanted(stack, name);
    const instance = this.instances.get(name) ?? "-";
    const answer = await call(this.host, "apply", edit(wanted), { instance });
    const [made] = answer.of("release");
    if (made?.[0] !== undefined) this.instances.set(name, made[0]);
    return answer;
  }

  /** The checks of the host before any change, as in a preview. */
  async observe(stack: FixtureStack, name: string): Promise<Answer> {
    return call(this.host, "observe", await this.wanted(stack, name));
  }

  private async wanted(stack: FixtureStack, name: string): Promise<ReleaseInputs> {
    const wanted = releasesOf(await runProgram(stack, this.facts))[name];
    if (wanted === undefined) throw new Error(`${stack.name} makes no release ${name}`);
    return wanted;
  }
}

/** The report of a refused or undone apply: the step, or the kind of refusal before any change; its message, and what holds now. */
export function failureOf(answer: Answer): { step: string; text: string; undone: string } {
  const [step = "", reason = ""] = answer.of("fail")[0] ?? answer.of("refuse")[0] ?? [];
  const output = answer.of("output").map(([encoded]) => Buffer.from(encoded ?? "", "base64").toString());
  return { step, text: [reason, ...output].join("\n"), undone: answer.of("undone")[0]?.[0] ?? "" };
}

/** The changes of an apply, one line each. */
export const changesOf = (answer: Answer): string[] => answer.of("did").map(([text]) => text ?? "");
