import { readFileSync } from "node:fs";
import { join } from "node:path";
import { callInput } from "../../../provider/transport/bootstrap";
import { type Host, onHost } from "../../../sandbox";
import { LOGIN, type Meta, requestOf } from "../host-programs";
import type { Written } from "./order";
import {
  cutsRelease,
  FAKE_PYTHON,
  factsOf,
  type Generation,
  OPERATORS,
  PLACES,
  PYTHON,
  type Scope,
} from "./release";

/** The interrupted act: a change, a change that rolls back, a first installation, a delete. */
export const ACTS = ["change", "roll back", "create", "delete"] as const;
export type Act = (typeof ACTS)[number];
/** `power`: everything ends, then a boot without an operator. `kill`: the transaction is killed, the host stays up. */
export type Mode = "power" | "kill";

export interface Point {
  act: Act;
  /** Number of the mutating call before which everything ends, from 1. */
  at: number;
  mode: Mode;
}

interface Ran {
  /** Before the run. */
  generation: string;
  /** The journal's state and the generation at the cut, and the call that was no longer made; absent if all ran. */
  cut?: { state: string; generation: string; call: string };
  calls: number;
  answer: string;
}

/** Programs whose calls are counted: all that change something, and those that write a file for the shell. */
const WRAPPED =
  "mv rm cp mkdir rmdir ln sync install chmod chown touch cat awk head systemctl systemd-run flock useradd";

/** Cuts Hearth's transactions on a sandbox host at calls that were counted before. */
export class Cuts {
  private now: Generation = "none";

  private constructor(
    private readonly host: Host,
    private readonly scope: Scope,
  ) {}

  /** Prepares a host: requests, wrappers, a boot id that can be changed. For scope `user` its login user must have a manager. */
  static async on(host: Host, scope: Scope): Promise<Cuts> {
    const cuts = new Cuts(host, scope);
    const { own, owner } = PLACES[scope];
    const program = (name: string) => readFileSync(join(__dirname, name), "utf8");
    await cuts.root(
      `boot_id=/proc/sys/kernel/random/boot_id
       command -v busybox >/dev/null || { apt-get update -q && apt-get install -q -y --no-install-recommends busybox; } >/dev/null
       mkdir -p /run/cuts/requests && chmod 0777 /run/cuts && cd /run/cuts
       [ -f /run/cuts-boot-id ] || { cat $boot_id >/run/cuts-boot-id; cp /run/cuts-boot-id /run/cuts-first-boot-id; chmod 0666 /run/cuts-boot-id; umount $boot_id || true; mount --bind /run/cuts-boot-id $boot_id; }`,
    );
    await cuts.root(`cat >/run/cuts/cut.sh`, program("cut.sh"));
    await cuts.root(`cat >/run/cuts/facts.sh`, program("facts.sh"));
    await cuts.root(`cat >${PYTHON} && chmod 0755 ${PYTHON}`, FAKE_PYTHON);
    for (const name of ["a", "b", "bad-a", "bad-b", "delete"]) await cuts.send(name);
    await cuts.root(
      `rm -rf ${own} && install -d -o ${owner} -g ${owner} ${own} && chown -R ${owner} /run/cuts/requests`,
    );
    await cuts.user(cuts.restoreOperators());
    await cuts.root(
      `cd /usr/local/sbin && /usr/bin/rm -f cuts-wrapper ${WRAPPED}
       /usr/bin/cat >/usr/local/sbin/cuts-wrapper && chmod 0755 /usr/local/sbin/cuts-wrapper
       for name in ${WRAPPED}; do ln -sf cuts-wrapper /usr/local/sbin/$name; done`,
      program("wrapper.sh"),
    );
    return cuts;
  }

  /** Removes the release and all files that {@link on} installed. */
  async leave(): Promise<void> {
    if (this.now !== "none") await this.run("delete", "delete", 0, "power");
    await this.root(
      `cd /usr/local/sbin && /usr/bin/rm -f cuts-wrapper ${WRAPPED} && cat /run/cuts-first-boot-id >/run/cuts-boot-id && /usr/bin/rm -rf /run/cuts ${PLACES[this.scope].own}`,
    );
  }

  /** The calls of one act that is not cut: the state of the journal at each call, and its arguments. */
  async record(act: Act): Promise<Written[]> {
    await this.prepare(act);
    // A number that is never reached: the calls are only counted.
    await this.run(this.program(act), this.request(act), 1_000_000, "power");
    if (act === "change") this.now = this.other();
    if (act === "create") this.now = "a";
    if (act === "delete") this.now = "none";
    const rows = (await this.user("cat /run/cuts/calls")).split("\n");
    return rows.map((row) => ({ state: row.split("\t")[0] ?? "", call: row.slice(row.indexOf("\t") + 1) }));
  }

  /**
   * Cuts at that call; `faults` lists broken promises after the boot (or after systemd cleaned up), and after the repeat that
   * follows. `reached` is false if the act had fewer calls this time.
   */
  async cut(point: Point): Promise<{ faults: string[]; reached: boolean; call: string }> {
    await this.prepare(point.act);
    const ran = await this.run(this.program(point.act), this.request(point.act), point.at, point.mode);
    const faults: string[] = [];
    const expect = async (when: string, wanted: string[]) =>
      faults.push(...(await this.compare(when, wanted)));
    const call = ran.cut === undefined ? "-" : `${ran.cut.state}: ${ran.cut.call}`;
    if (point.act === "delete") {
      // Files that were already restored belong to the operator again, who continues with them.
      const edited = await this.user(
        `cd ${PLACES[this.scope].own} && if grep -qx ${JSON.stringify(OPERATORS.file)} file; then echo edited >new && mv -f new file; fi; cat file`,
      );
      const again = await this.run("delete", "delete", 0, "power");
      if (!again.answer.includes("end ok")) faults.push(`the second delete: ${again.answer}`);
      this.now = "none";
      const { own } = PLACES[this.scope];
      const file = `${own}/file: ${edited === "edited" ? "edited" : OPERATORS.file}`;
      await expect("after the second delete", [
        ...factsOf(this.scope, "none").filter((fact) => !fact.startsWith(`${own}/file:`)),
        file,
      ]);
      await this.user(this.restoreOperators());
    } else {
      const proved =
        ran.cut === undefined || ran.cut.state === "recording" || ran.cut.generation !== ran.generation;
      const target = point.act === "create" ? "a" : point.act === "change" ? this.other() : this.now;
      await expect(
        point.mode === "power" ? "after the boot" : "after it was killed",
        factsOf(this.scope, proved ? target : this.now),
      );
      const again = await this.run("apply", target, 0, "power");
      if (!again.answer.includes("end ok")) faults.push(`the repeat: ${again.answer}`);
      this.now = target;
      await expect("after the repeat", factsOf(this.scope, target));
    }
    return { faults, reached: ran.cut !== undefined, call };
  }

  private other(): "a" | "b" {
    return this.now === "a" ? "b" : "a";
  }

  private program(act: Act): string {
    return act === "delete" ? "delete" : "apply";
  }

  private request(act: Act): string {
    if (act === "delete") return "delete";
    if (act === "create") return "a";
    return act === "change" ? this.other() : `bad-${this.other()}`;
  }

  /** Prepares the host for the start of the act. */
  private async prepare(act: Act): Promise<void> {
    const wanted = act === "create";
    if (wanted === (this.now === "none")) return;
    const { answer } = wanted
      ? await this.run("delete", "delete", 0, "power")
      : await this.run("apply", "a", 0, "power");
    if (!answer.includes("end ok")) throw new Error(`the host could not be prepared: ${answer}`);
    this.now = wanted ? "none" : "a";
  }

  private async compare(when: string, wanted: string[]): Promise<string[]> {
    const { conf, own, environment, port } = PLACES[this.scope];
    const url = `http://127.0.0.1:${port}/served`;
    const said = await this.user(`sh /run/cuts/facts.sh ${this.scope} ${conf} ${own} ${environment} ${url}`);
    const facts = said.split("\n").map((fact) => fact.trimEnd());
    return wanted
      .filter((fact) => !facts.includes(fact.trimEnd()))
      .map((fact) => {
        const name = fact.slice(0, fact.indexOf(":"));
        const seen = facts.find((other) => other.startsWith(`${name}:`));
        return `${when}: ${fact || "-"} was promised, ${seen ?? "nothing"} is seen`;
      });
  }

  private async run(program: string, request: string, at: number, mode: Mode): Promise<Ran> {
    const said = await this.user(`sh /run/cuts/cut.sh ${this.scope} ${program} ${request} ${at} ${mode}`);
    const rows = said.split("\n").map((line) => line.split("\t"));
    const row = (name: string) => rows.find(([first]) => first === name)?.slice(1);
    const [state = "", generation = "", , ...call] = row("cut") ?? [];
    return {
      generation: row("before")?.[0] ?? "",
      cut: row("cut") ? { state, generation, call: call.join(" ") } : undefined,
      calls: Number(row("calls")?.[0]),
      answer: row("answer")?.[0] ?? "",
    };
  }

  private restoreOperators(): string {
    const { file, link, foreign } = OPERATORS;
    return `cd ${PLACES[this.scope].own} && echo ${JSON.stringify(file)} >file && ln -sfn ${JSON.stringify(link)} link && echo ${foreign} >foreign`;
  }

  private async send(name: string): Promise<void> {
    const generation = name.endsWith("b") ? "b" : "a";
    const release =
      name === "delete" ? { release: "cuts" } : cutsRelease(this.scope, generation, !name.startsWith("bad"));
    const meta: Partial<Meta> = { scope: this.scope, run: "cuts" };
    const files = requestOf(release, meta, name !== "delete");
    const program = `machine/programs/${name === "delete" ? "delete" : "apply"}.sh` as const;
    const terms = { mark: "none", stays: true, seconds: 600 };
    const sent = await callInput({ interpreter: "sh", program }, files, undefined, terms);
    const input = sent.subarray(sent.indexOf("\n") + 1);
    const folder = `/run/cuts/requests/${name}`;
    await this.root(
      `rm -rf ${folder} && mkdir -p ${folder} && base64 -d | tar -x -C ${folder} && chmod -R a+rX ${folder}`,
      input.toString("base64"),
    );
  }

  private async root(text: string, input?: string): Promise<void> {
    const { code, stderr, stdout } = await onHost(this.host, [text], input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`${text}: exit ${code}: ${stderr}${stdout}`);
  }

  /** Runs as the user of the scope, in the user's manager. */
  private async user(text: string): Promise<string> {
    const user = this.scope === "user" ? LOGIN : "root";
    const script = `export XDG_RUNTIME_DIR="/run/user/$(id -u)"\n${text}`;
    const { code, stdout, stderr } = await onHost(this.host, [script], { user });
    if (code !== 0) throw new Error(`${text}: exit ${code}: ${stderr}${stdout}`);
    return stdout.trimEnd();
  }
}
