import type { ServiceError } from "@grpc/grpc-js";
import { type Properties, toProperties } from "../../provider/protocol/values";
import { downHost, type Host, onHost, upHost } from "../../sandbox";
import { LOGIN } from "./host-programs";
import { probeRelease } from "./probe-release";
import { ProviderClient, type StoredResource } from "./provider-client";
import { rootlessHost, userRelease } from "./user-release";

type Scope = "system" | "user";
type Overrides = Parameters<typeof probeRelease>[1];

/** A sandbox host, a provider, and the state of one release, as the engine would store it. */
export class ReleaseHost {
  readonly urn: string;
  private state: StoredResource | undefined;

  private constructor(
    readonly name: string,
    readonly host: Host,
    readonly provider: ProviderClient,
    private readonly scope: Scope,
  ) {
    this.urn = this.urnOf("probe");
  }

  /** With scope `user` the host is one for rootless containers, reached as its login user, who may use sudo. */
  static async start(name: string, scope: Scope = "system"): Promise<ReleaseHost> {
    const host = scope === "system" ? await upHost({ name }) : await rootlessHost(name);
    return new ReleaseHost(name, host, await ProviderClient.start(), scope);
  }

  get connection() {
    const { sshConfigFile } = this.host;
    const login = this.scope === "user" ? { user: LOGIN, become: "sudo" } : { become: "none" };
    return { name: this.name, transport: "ssh", address: this.name, sshConfigFile, ...login };
  }

  /** Ends the provider, which must end by itself, and the host. */
  async stop(): Promise<void> {
    const code = await this.provider.stop();
    await downHost(this.name);
    if (code !== 0) throw new Error(`the provider ended with ${code}`);
  }

  get stored(): StoredResource {
    if (!this.state) throw new Error("nothing was created yet");
    return this.state;
  }

  set stored(state: StoredResource) {
    this.state = state;
  }

  /** The URN of a Release with that name in the test's stack. */
  urnOf(name: string): string {
    return `urn:pulumi:test::hearth::hearth-host:index:Release::${this.name}-${name}`;
  }

  /** Standard output of a script on the host, run as root. */
  async shell(script: string): Promise<string> {
    return (await onHost(this.host, ["sh", "-c", script])).stdout.trim();
  }

  /** The answer of the release's service. */
  served(): Promise<string> {
    return this.shell("curl -s http://127.0.0.1:8099/served");
  }

  /** Checked inputs of the probe release, as the engine would get them. `olds`: by default those of the state. */
  async wanted(content: string, overrides: Overrides = {}, olds?: Properties): Promise<Properties> {
    const make = this.scope === "system" ? probeRelease : userRelease;
    const { connection, scope } = this;
    const inputs = toProperties({ connection, scope, ...make(content, overrides) });
    const checked = await this.provider.check(this.urn, inputs, olds ?? this.state?.inputs ?? {});
    if (checked.faults.length > 0) throw new Error(checked.faults.join("\n"));
    return checked.inputs;
  }

  async read(): Promise<StoredResource> {
    const found = await this.provider.read(this.urn, this.stored);
    if (!found) throw new Error("the release is gone");
    return found;
  }

  diff(olds: Properties, news: Properties): Promise<Record<string, string>> {
    return this.provider.diff(this.urn, olds, news);
  }

  /** Waits until the provider's progress names a step. */
  async reached(text: string, provider: ProviderClient = this.provider): Promise<void> {
    for (let tries = 0; tries < 1200; tries++) {
      if (provider.logs.some(({ message }) => message.includes(text))) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never reached: ${text}`);
  }
}

/** The error of a call that must fail, as the engine gets it. */
export async function failure(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    if (isServiceError(error)) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}
