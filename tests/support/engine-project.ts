import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Ended, removeDirectory, root, run } from "../toolchain/support";

/** A small Pulumi project under the real engine, with this checkout's provider and its own state. */
export class EngineProject {
  private constructor(readonly folder: string) {}

  /** `program`: the text of index.ts; it finds the SDK as `./provider/sdk`. */
  static async create(program: string): Promise<EngineProject> {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "hearth-engine-")));
    for (const name of ["node_modules", "toolchain", "provider", "Pulumi.yaml"])
      fs.symlinkSync(path.join(root, name), path.join(folder, name));
    // A link would start this checkout's own program.
    fs.cpSync(path.join(root, "program"), path.join(folder, "program"), { recursive: true });
    fs.writeFileSync(
      path.join(folder, "package.json"),
      JSON.stringify({ name: "program", main: "index.ts" }),
    );
    const project = new EngineProject(folder);
    project.write("index.ts", program);
    const { code, stderr } = await project.pulumi("stack", "init", "test");
    if (code !== 0) throw new Error(stderr);
    return project;
  }

  write(file: string, text: string): void {
    fs.writeFileSync(path.join(this.folder, file), text);
  }

  pulumi(...args: string[]): Promise<Ended> {
    return this.pulumiWith({}, ...args);
  }

  pulumiWith(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> {
    const env = { ...process.env, PULUMI_CONFIG_PASSPHRASE: undefined, ...environment };
    return run(path.join(root, "toolchain/pulumi"), args, { cwd: this.folder, env });
  }

  /** The stack in the engine's current state. */
  state(): string {
    return fs.readFileSync(path.join(this.folder, ".hearth/state/.pulumi/stacks/hearth/test.json"), "utf8");
  }

  /** Everything that the engine stores about the stack: state, backups, history. */
  kept(): string {
    const state = path.join(this.folder, ".hearth/state");
    const files = fs.readdirSync(state, { recursive: true, withFileTypes: true });
    return files
      .filter((file) => file.isFile())
      .map((file) => fs.readFileSync(path.join(file.parentPath, file.name), "utf8"))
      .join("\n");
  }

  remove(): void {
    removeDirectory(this.folder);
  }
}
