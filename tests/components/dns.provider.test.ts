import * as pulumi from "@pulumi/pulumi";
import { dynamicDnsSpec } from "../../components/dns/spec";
import { userPlaces } from "../../runtimes/places";
import { DynuAccount } from "../../stand-ins/dynu";
import { type HomeHost, homeHost } from "../support/home-host";
import { call, LOGIN, ok } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { inContainers, jobHostOf } from "../support/rendered";

const PLACES = userPlaces({ user: LOGIN, group: LOGIN, uid: 1000, home: `/home/${LOGIN}` });
const NAME = "home.alice.mywire.org";
const UNIT = "hearth-dns.service";

let home: HomeHost;
let dynu: DynuAccount;

beforeAll(async () => {
  home = await homeHost(`dns-${process.pid}`);
  await home.root(`loginctl enable-linger ${LOGIN}`);
  // This machine's address, as sandbox hosts reach it.
  dynu = await DynuAccount.start(await home.sh("ip -4 route show default | awk '{ print $3 }'"));
  ok(await call(home.host, "apply", release(), { scope: "user" }));
});
afterAll(async () => {
  await dynu?.stop();
  await home?.down();
});

/** The client's release, with the stand-in instead of Dynu. */
function release() {
  const dynamic = { names: [NAME], ipv4: true, ipv6: false, interval: "5s" };
  const apiKey = pulumi.output(dynu.key);
  const spec = dynamicDnsSpec({ dynamic, apiUrl: dynu.apiUrl, apiKey }, jobHostOf(PLACES));
  const parts = inContainers(PLACES, spec);
  const files = Object.entries(parts.files).map(([path, file]) => {
    const content = file.content.replace("https://checkip.dynu.com/", dynu.addressUrl("ipv4"));
    return [path, { ...file, content }] as const;
  });
  return {
    ...parts,
    release: "dns",
    files: Object.fromEntries(files),
    containerSecrets: { "hearth-dynu-key": { source: { kind: "given" as const, value: dynu.key } } },
  };
}

/**
 * Starts a new run of the job, which sees all earlier changes. It waits for the end of a run that the timer has started,
 * because systemd would not start a second one.
 */
const run = () =>
  home.sh(
    `until [ "$(systemctl --user is-active ${UNIT})" != activating ]; do sleep 0.2; done; systemctl --user start ${UNIT}`,
  );
const journal = () => home.sh(`journalctl --user --no-pager -o cat -u ${UNIT}`);
/** Information about a job that did not do its work. */
const story = () =>
  home.sh(`systemctl --user list-timers --all --no-pager; systemctl --user status --no-pager -n 0 ${UNIT} hearth-dns.timer || true
    journalctl --user --no-pager -o short-precise -n 60`);

it("[H6] [H13] its container sets a name to the address and logs it in one line", async () => {
  const { id } = dynu.addDomain("alice.mywire.org");
  await run();
  expect(dynu.records.get(id)).toMatchObject([
    { nodeName: "home", recordType: "A", ipv4Address: dynu.address },
  ]);
  const line = `${NAME} A ${dynu.address} (was none)`;
  expect(await eventually(async () => (await journal()).includes(line))).toBe(true);
  dynu.address = "93.184.216.35";
  await run();
  expect(dynu.records.get(id)).toMatchObject([{ ipv4Address: "93.184.216.35" }]);
});

it("[H6] the timer runs it again after a run that failed", async () => {
  dynu.breaking = Number.POSITIVE_INFINITY;
  await expect(run()).rejects.toThrow();
  dynu.breaking = 0;
  dynu.address = "93.184.216.36";
  // Dynu's record, not a line in the journal: only the run that changes the address writes a line.
  const record = () => [...dynu.records.values()].flat()[0]?.ipv4Address;
  const came = await eventually(async () => record() === dynu.address, 180);
  expect(came ? "" : await story()).toBe("");
});

it("[A9] the key is in no file of Hearth, no command and no log", async () => {
  expect(await home.sh(`grep -rl -- '${dynu.key}' .config .local/lib .local/state || true`)).toBe("");
  expect(await home.sh("systemctl --user cat hearth-dns.service")).not.toContain(dynu.key);
  expect(await journal()).not.toContain(dynu.key);
});
