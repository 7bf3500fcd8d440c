import { downHost, upHost } from "../../../../sandbox";
import { type Act, Cuts, type Mode } from "../../../support/cuts/cuts";
import { orderFaults } from "../../../support/cuts/order";
import { rootlessHost } from "../../../support/user-release";

/** Every place to cut at; `npm test` draws some of them (docs/faults.md). */
const ROWS: [Act, Mode][] = [
  ["change", "power"],
  ["roll back", "power"],
  ["create", "power"],
  ["delete", "power"],
  ["change", "kill"],
  ["roll back", "kill"],
];

describe.each(["system", "user"] as const)("[A4] scope %s, cut at every mutating call", (scope) => {
  const name = `cuts-${scope}-${process.pid}`;
  let cuts: Cuts;

  beforeAll(async () => {
    cuts = await Cuts.on(scope === "system" ? await upHost({ name }) : await rootlessHost(name), scope);
  });
  afterAll(() => downHost(name));

  it.each(ROWS)("of a %s (%s): nothing is lost, the last proven generation serves", async (act, mode) => {
    const calls = await cuts.record(act);
    const broken: string[] = [];
    for (let at = 1; at <= calls.length; at++) {
      const { faults, reached, call } = await cuts.cut({ act, at, mode });
      if (faults.length > 0) broken.push(`${at} (${call}): ${faults.join("; ")}`);
      // A change the other way has a few calls more or less.
      if (!reached) break;
    }
    console.info(
      `${scope}, ${act}, ${mode}: ${calls.length} places to cut at, ${broken.length} of them broken`,
    );
    expect(broken).toEqual([]);
    if (act === "change" || act === "create") expect(orderFaults(calls)).toEqual([]);
  });
});
