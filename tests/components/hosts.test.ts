import { changed, fixture, runProgram } from "../support/program";

const hostOf = async (stack = fixture("minimal")) => {
  const run = await runProgram(stack);
  return run.resources.find(({ type }) => type.endsWith(":Host"));
};

it("a host is named as in the stack file and reached as it says", async () => {
  expect(await hostOf()).toMatchObject({
    name: "vps",
    inputs: {
      connection: { name: "vps", transport: "ssh", address: "vps.example.org", user: "root", become: "none" },
    },
  });
});

it("files are given by full paths, for the provider starts in another directory", async () => {
  const host = await hostOf(fixture("full"));
  expect(host?.inputs.connection).toMatchObject({
    identityFile: expect.stringMatching(/^\/.*\/id_ed25519$/),
    knownHostsFile: expect.stringMatching(/^\/.*\/known_hosts$/),
    sshConfigFile: expect.stringMatching(/^\/.*\/ssh_config$/),
  });
});

it("[A9] the password for sudo is a secret, the rest of the connection stays readable", async () => {
  const stack = changed(fixture("minimal"), {
    "hosts.vps.become": "sudo",
    "hosts.vps.user": "debian",
    secrets: { sudo: { vps: "planted-sudo" } },
  });
  const host = await hostOf(stack);
  expect(host?.inputs.connection).toMatchObject({
    become: "sudo",
    user: "debian",
    sudoPassword: { value: "planted-sudo", "4dabf18193072939515e22adb298388d": expect.any(String) },
  });
});
