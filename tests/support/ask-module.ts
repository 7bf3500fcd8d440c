import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { createInterface } from "node:readline";

const COMPONENTS = path.resolve(__dirname, "../../components");
const PROGRAM = path.join(__dirname, "ask_module.py");

/** One interpreter for each component that a test file asks about: to start one for each question took most of the time. */
class Interpreter {
  private static readonly running = new Map<string, Interpreter>();
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;

  private constructor(component: string) {
    const folders = [component, "maintenance"].map((name) => path.join(COMPONENTS, name, "programs"));
    const env = { ...process.env, PYTHONPATH: folders.join(":") };
    this.child = spawn("python3", ["-B", PROGRAM], { env, stdio: ["pipe", "pipe", "inherit"] });
    if (this.child.stdout === null) throw new Error("python3 has no standard output");
    this.answers = createInterface(this.child.stdout)[Symbol.asyncIterator]();
  }

  static of(component: string): Interpreter {
    const known = Interpreter.running.get(component) ?? new Interpreter(component);
    Interpreter.running.set(component, known);
    return known;
  }

  static async endAll(): Promise<void> {
    const ends = [...Interpreter.running.values()].map(({ child }) => {
      const closed = once(child, "close");
      child.stdin?.end();
      return closed;
    });
    Interpreter.running.clear();
    await Promise.all(ends);
  }

  /** What the program prints. */
  async ask(program: string, rows: unknown): Promise<string> {
    this.child.stdin?.write(`${JSON.stringify([program, JSON.stringify(rows)])}\n`);
    const { value, done } = await this.answers.next();
    const { said, fault } = done ? { fault: "python3 has ended" } : JSON.parse(value);
    if (fault !== undefined) throw new Error(fault);
    return said;
  }
}

afterAll(() => Interpreter.endAll());

/** Calls functions of a component's Python modules: `program` reads rows as JSON and prints one answer for each. */
export async function askModule<T>(component: string, program: string, rows: unknown): Promise<T> {
  return JSON.parse(await Interpreter.of(component).ask(program, rows));
}
