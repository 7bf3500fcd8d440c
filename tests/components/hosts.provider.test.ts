import { containerPackages } from "../../components/hosts/facts";
import { rootlessRelease } from "../../components/hosts/rootless";
import { downHost, type Host, upHost } from "../../sandbox";
import { call, LOGIN, ok, type Release, sh } from "../support/host-programs";
import { DEBIAN_13 } from "../support/program";
import { asUser, bringStandIn, conf, URL, userRelease } from "../support/user-release";

// This run's own host: another run at the same time has another one.
const NAME = `rootless-${process.pid}`;
let host: Host;

const wanted = (): Release => ({
  release: "rootless",
  packages: containerPackages(DEBIAN_13),
  ...rootlessRelease<string>(LOGIN),
});
let instance = "-";
const apply = () => call(host, "apply", wanted(), { instance });

beforeAll(async () => {
  host = await upHost({ name: NAME });
});
afterAll(() => downHost(NAME));

test("[H1] on a new host, root prepares what a rootless container needs, and a container starts immediately", async () => {
  // A range that another user has, and none for the login user.
  await sh(host, "printf 'somebody:100000:65536\\n' | tee /etc/subuid >/etc/subgid");
  // The user is already logged in: the user's systemd started before the package of its bus was installed.
  expect(await asUser(host, 'ls "$XDG_RUNTIME_DIR"')).toContain("systemd");
  expect(await asUser(host, 'ls "$XDG_RUNTIME_DIR"')).not.toContain("bus");
  // The user can write any PID into Podman's file; root must not end that process.
  const bystander = await sh(host, "setsid sleep 600 >/dev/null 2>&1 & echo $!");
  const helper = '"$XDG_RUNTIME_DIR"/libpod/tmp';
  await asUser(host, `mkdir -p ${helper} && echo ${bystander} >${helper}/pause.pid`);
  const done = ok(await apply());
  instance = done.of("release")[0]?.[0] ?? "-";
  expect(await sh(host, `ps -o comm= -p ${bystander} || echo killed`)).toBe("sleep");
  await asUser(host, `rm -r ${helper}; ! kill ${bystander} 2>/dev/null`);
  console.info(`packages, ids and linger: ${done.took} ms`);
  expect(done.of("task")).toEqual(
    expect.arrayContaining([
      ["linger", "on"],
      ["subids", "enough"],
    ]),
  );
  expect(await sh(host, "cat /etc/subuid /etc/subgid")).toBe(
    `somebody:100000:65536\n${LOGIN}:165536:65536\nsomebody:100000:65536\n${LOGIN}:165536:65536`,
  );
  await bringStandIn(host);
  ok(await call(host, "apply", userRelease(conf("one")), { scope: "user" }));
  expect(await sh(host, `curl -sS ${URL}`)).toContain("# one");
});

test("[A1] a second apply changes nothing", async () => {
  expect(ok(await apply()).of("did")).toEqual([]);
});

test("[A3] linger that was turned off by hand is reported and turned on again; ids are never removed", async () => {
  await sh(host, `usermod --add-subuids 300000-300099 ${LOGIN}; loginctl disable-linger ${LOGIN}`);
  const seen = await call(host, "observe", wanted(), { instance });
  expect(seen.of("task")).toEqual([
    ["subids", "enough"],
    ["linger", "off"],
  ]);
  expect(ok(await apply()).of("did")).toEqual([["task linger: 'on'"]]);
  expect(await sh(host, "grep -c . /etc/subuid")).toBe("3");
});

test("[A5] a delete removes neither packages nor ids nor linger, and services continue to run", async () => {
  const done = await call(host, "delete", { release: "rootless" }, { instance });
  expect(done.end).toBe("end ok");
  expect(await sh(host, `ls /var/lib/systemd/linger; grep -c ${LOGIN} /etc/subuid; command -v podman`)).toBe(
    `${LOGIN}\n2\n/usr/bin/podman`,
  );
  expect(await sh(host, `curl -sS ${URL}`)).toContain("# one");
});
