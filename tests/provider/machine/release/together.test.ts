import { lookTogether } from "../../../../provider/machine/release/together";
import type { HostAnswer, HostCall, HostSession } from "../../../../provider/transport/session";

/** A host that says which files it got; each look is answered by its own name. */
function host(answer: (call: HostCall) => Partial<HostAnswer> = () => ({})) {
  const calls: HostCall[] = [];
  const session: HostSession = {
    async run(call) {
      calls.push(call);
      const looks = call.files.map(({ name }) => /^looks\/(\d+)\//.exec(name)?.[1]).filter(Boolean);
      const rows = looks.map((look) => `look\t${look}\t0\nfile\t/${look}\nend\n`).join("");
      return { status: 0, stdout: rows || "end\n", stderr: "", outside: "", ...answer(call) };
    },
    exclusive: (change) => change(),
  };
  const look = (name: string, signal = new AbortController().signal, asRoot = true) =>
    lookTogether(session, asRoot, [{ name: "request/meta", content: name }], signal);
  return { calls, look };
}

test("looks at one host at the same time are one call, and each gets its own answer", async () => {
  const { calls, look } = host();
  const answers = await Promise.all([look("a"), look("b"), look("c")]);
  expect(calls.map(({ files }) => files.map(({ name, content }) => [name, content]))).toEqual([
    [
      ["looks/0/request/meta", "a"],
      ["looks/1/request/meta", "b"],
      ["looks/2/request/meta", "c"],
    ],
  ]);
  expect(answers.map(({ status, stdout }) => [status, stdout])).toEqual(
    [0, 1, 2].map((index) => [0, `file\t/${index}\nend\n`]),
  );
});

test("one look is a request as it always was; root's and the user's are apart; later ones are another call", async () => {
  const { calls, look } = host();
  await Promise.all([look("a"), look("b", undefined, false)]);
  await look("c");
  expect(calls.map(({ asRoot, files }) => [asRoot, files[0]?.name])).toEqual([
    [true, "request/meta"],
    [false, "request/meta"],
    [true, "request/meta"],
  ]);
});

test("a look that broke off has no complete answer, and the others have theirs", async () => {
  const { look } = host(() => ({ stdout: "look\t0\t2\nfile\t/x\nlook\t1\t0\nend\n" }));
  const answers = await Promise.all([look("a"), look("b"), look("c")]);
  expect(answers.map(({ status, stdout }) => [status, stdout])).toEqual([
    [2, "file\t/x\n"],
    [0, "end\n"],
    [1, ""],
  ]);
});

test("a host that cannot be reached fails each of them; a cancel ends the call when it concerns all", async () => {
  const unreachable = host(() => {
    throw new Error("no route");
  });
  const results = await Promise.allSettled([unreachable.look("a"), unreachable.look("b")]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);

  const [one, other] = [new AbortController(), new AbortController()];
  const aborted: boolean[] = [];
  const { look } = host(({ signal }) => {
    one.abort();
    aborted.push(signal.aborted);
    other.abort();
    aborted.push(signal.aborted);
    return {};
  });
  await Promise.all([look("a", one.signal), look("b", other.signal)]);
  expect(aborted).toEqual([false, true]);
});
