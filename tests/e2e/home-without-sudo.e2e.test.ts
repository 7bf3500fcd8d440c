import { downHost } from "../../sandbox";
import { type Tailnet, upTailnet } from "../../sandbox/tailnet";
import { HomeServer } from "../support/home-server";

const [NET, NAME] = ["e2e-nosudo-net", "e2e-home-nosudo"];

let tailnet: Tailnet;
let home: HomeServer;
/** The commands for root in each refused `up`. */
const told: string[] = [];

beforeAll(async () => {
  tailnet = await upTailnet({ name: NET, domain: "tail4e06.ts.net", nodes: [NAME] });
  home = await HomeServer.make(NAME, { tailnet, empty: true });
  await home.edit({ "hosts.home.become": "none", "verification.enabled": true });
  // The login user cannot become root. (A fresh sandbox host has no package lists yet.)
  await home.sh("chmod 0000 /usr/bin/sudo; touch /root/before; apt-get -q update");
});

afterAll(async () => {
  await home?.remove();
  await downHost(NET);
});

/** The lines of a message that are commands: indented, or named as a command for root. */
function commandsIn(output: string): string[] {
  const commands =
    /^ {6,}((?:apt-get|usermod|loginctl|systemctl) .+)$|As root, once: (tailscale set --operator=\S+)/gm;
  return [...output.matchAll(commands)].map(([, line, named]) => line ?? named ?? "");
}

async function refusedUp(): Promise<string> {
  const { ok, output } = await home.stack.up({ args: ["--skip-preview"] });
  expect({ ok, output: ok ? output : "" }).toEqual({ ok: false, output: "" });
  told.push(...commandsIn(output));
  return output;
}

test("[H1] without sudo one message lists all commands for root", async () => {
  const output = await refusedUp();
  expect(output).toContain(`now: nothing was changed on home`);
  expect(told).toEqual([
    "apt-get update",
    expect.stringMatching(/^apt-get install --no-install-recommends podman /),
    "loginctl enable-linger debian",
  ]);
  for (const command of told)
    await home.sh(`export DEBIAN_FRONTEND=noninteractive; ${command.replace("install", "-qy install")}`);
});

test("[H5] the commands for Tailscale's operator are listed too", async () => {
  await refusedUp();
  const command = told.at(-1) ?? "";
  expect(command).toBe("tailscale set --operator=debian");
  await home.sh(command);
});

test("[A1] [H1] [H5] then the whole server starts, checked from outside, and none of its files belongs to root", async () => {
  await home.up();
  expect(await home.status()).toBe(200);
  const left = "find /etc /usr/local /var/lib -newer /root/before -path '*hearth*' | head";
  expect(await home.sh(left)).toBe("");
  expect((await home.up()).steps.filter(({ op }) => op !== "refresh")).toEqual([]);
});
