import type { Container } from "../../../runtimes/container";
import { runOnce } from "../../../runtimes/quadlet/podman";
import { renderContainer, renderNetwork, renderVolume } from "../../../runtimes/quadlet/render";
import { renderTimer } from "../../../runtimes/timer";
import { EVERYTHING, JOB } from "./sample";

/** The values of each option in their order, by `Section.Option`. */
function parsed(text: string): Record<string, string[]> {
  const options: Record<string, string[]> = {};
  let section = "";
  for (const line of text.split("\n")) {
    const [, name] = /^\[(.*)\]$/.exec(line) ?? [];
    if (name !== undefined) section = name;
    const [, key, value = ""] = /^([A-Z]\w*)=(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    const option = `${section}.${key}`;
    options[option] = [...(options[option] ?? []), value];
  }
  return options;
}

const optionsOf = (container: Container) => parsed(renderContainer(container));

describe("[H13] every container", () => {
  it.each([
    ["a service", EVERYTHING],
    ["a job", JOB],
  ])("is confined: %s", (_what, container) => {
    expect(optionsOf(container)).toMatchObject({
      "Container.ReadOnly": ["true"],
      "Container.NoNewPrivileges": ["true"],
      "Container.DropCapability": ["all"],
      "Container.Pull": ["never"],
      "Container.User": [String(container.uid)],
      "Container.Group": [String(container.gid)],
      "Container.UserNS": [`keep-id:uid=${container.uid},gid=${container.gid}`],
      "Service.MemoryMax": [`${container.memoryMiB}M`],
      "Service.MemorySwapMax": [`${container.memoryMiB}M`],
      "Service.TasksMax": [String(container.pids)],
    });
  });

  it.each([
    ["devices", "AddDevice"],
    ["the host's network", "host"],
    ["privileges through arguments", "PodmanArgs"],
    ["automatic updates", "AutoUpdate"],
    ["capabilities", "AddCapability"],
  ])("never gets %s", (_what, words) => {
    const kept = { ...EVERYTHING, boundingCapabilities: ["NET_BIND_SERVICE"] as const };
    for (const container of [kept, JOB]) expect(renderContainer(container)).not.toContain(words);
  });

  it("keeps a capability in its bounding set because the list of dropped ones does not contain it", () => {
    const options = optionsOf({ ...JOB, boundingCapabilities: ["NET_BIND_SERVICE"] });
    const [dropped = ""] = options["Container.DropCapability"] ?? [];
    expect(dropped.split(" ")).toEqual(expect.arrayContaining(["CHOWN", "SETUID", "NET_RAW"]));
    expect(dropped.split(" ")).not.toContain("NET_BIND_SERVICE");
  });
});

describe("a service", () => {
  it("[H1] starts at boot, restarts without a limit, and has started when it is healthy", () => {
    expect(optionsOf(EVERYTHING)).toMatchObject({
      "Install.WantedBy": ["default.target"],
      "Service.Restart": ["always"],
      "Unit.StartLimitIntervalSec": ["0"],
      "Unit.Wants": ["hearth-other.service"],
      "Unit.After": ["hearth-other.service"],
      "Container.Notify": ["healthy"],
      "Container.HealthStartupInterval": ["1s"],
      "Container.HealthInterval": ["30s"],
      "Service.TimeoutStartSec": ["60"],
      "Service.TimeoutStopSec": ["20"],
      "Service.ExecReload": ['/usr/bin/podman exec hearth-probe /bin/sh -c "kill -HUP 1"'],
    });
  });

  it("has only the mounts that it names, read-only by default", () => {
    expect(optionsOf(EVERYTHING)).toMatchObject({
      "Container.Volume": [
        "/home/alice/.config/hearth:/etc/hearth:ro",
        "/home/alice/data:/data:rw",
        "hearth-socket.volume:/run/socket:ro",
      ],
      "Container.Secret": ["hearth-secret,type=mount,target=file-name,uid=991,gid=992,mode=0400"],
      "Container.Network": ["hearth.network"],
      "Container.PublishPort": ["127.0.0.1:8008:80", "[::1]:8009:80"],
      "Container.Tmpfs": ["/cache:rw,nosuid,nodev,noexec"],
    });
  });
});

it("a job runs once, starts no other unit, and only its timer starts it", () => {
  const options = optionsOf(JOB);
  expect(options).toMatchObject({
    "Service.Type": ["oneshot"],
    "Service.Restart": ["no"],
    "Unit.After": ["hearth-synapse.service"],
    "Container.LogDriver": ["passthrough"],
    "Container.Network": ["none"],
  });
  for (const absent of ["Unit.Wants", "Install.WantedBy", "Container.Notify", "Service.ExecReload"])
    expect(options).not.toHaveProperty([absent]);
});

it("no unit waits for network-online.target, which may never be reached", () => {
  const texts = [renderContainer(EVERYTHING), renderNetwork(), renderVolume("hearth-socket")];
  for (const text of texts) expect(parsed(text)["Quadlet.DefaultDependencies"]).toEqual(["false"]);
});

it("[H15] the units that every container requires are tried until they start, and report no failure to units that wait", () => {
  for (const text of [renderNetwork(), renderVolume("hearth-socket")]) {
    expect(parsed(text)).toMatchObject({
      "Unit.StartLimitIntervalSec": ["0"],
      "Service.Restart": ["on-failure"],
      "Service.RestartMode": ["direct"],
    });
  }
});

it("each option of a command is on a separate line, which a preview shows completely", () => {
  const text = renderContainer({
    ...JOB,
    command: ["run.py", "--window", "1", "--exempt", "a b", "--remove"],
  });
  expect(text).toContain('\nExec=run.py \\\n  --window 1 \\\n  --exempt "a b" \\\n  --remove\n');
});

describe("no value leaves its line", () => {
  it("in words of a command", () => {
    const [exec] = optionsOf({ ...JOB, command: EVERYTHING.command ?? [] })["Container.Exec"] ?? [];
    expect(exec).toBe(
      `plain "a b" "100%% %%h %%%%" "\\"'\\\\" "$$HOME $\${HOME} $$$$" "ends with \\\\" "; # | > * ~"`,
    );
  });

  it.each<[string, Partial<Container>]>([
    ["a line break in the description", { description: "x\nExecStartPre=/bin/evil" }],
    ["a description that continues on the next line", { description: "x\\" }],
    ["a line break in a word", { command: ["a\nb"] }],
    ["an empty word, because Quadlet loses the words after it", { command: ["a", "", "b"] }],
    ["a line break in the environment", { environment: { A: "b\r\nc" } }],
    ["an invalid name of a variable", { environment: { "A B": "c" } }],
    ["a name with a specifier", { name: "hearth-%h" }],
    ["an option as name", { name: "--privileged" }],
    ["an image without a registry", { image: "postgres" }],
    ["an image with options", { image: "docker.io/x:1 --privileged" }],
    ["a mount with options", { mounts: [{ source: "/a:/b", target: "/c", readOnly: true }] }],
    ["a relative mount", { mounts: [{ source: "a", target: "/c", readOnly: true }] }],
    ["a target with a space", { mounts: [{ source: "/a", target: "/c d", readOnly: true }] }],
    ["a secret with options", { secrets: { a: "b,type=env" } }],
    ["a published port with a host name", { publish: [{ address: "localhost", port: 1, containerPort: 1 }] }],
    ["a directory in memory with options", { tmpfs: ["/a:exec"] }],
    ["a unit with a space", { after: ["a.service b.service"] }],
  ])("refuses %s", (_what, change) => {
    expect(() => renderContainer({ ...EVERYTHING, ...change })).toThrow(
      /is not allowed in the unit|is not one line|would continue|loses an empty word/,
    );
  });
});

describe("a timer", () => {
  it("by the clock starts a run that the host missed while it was off", () => {
    const when = { calendar: "monthly" };
    expect(
      parsed(renderTimer({ name: "hearth-x", description: "X", when, randomDelaySeconds: 600 })),
    ).toEqual({
      "Unit.Description": ["X"],
      "Timer.OnCalendar": ["monthly"],
      "Timer.Persistent": ["true"],
      "Timer.RandomizedDelaySec": ["600"],
      "Timer.Unit": ["hearth-x.service"],
      "Install.WantedBy": ["timers.target"],
    });
  });

  it("by running time counts from boot and from the end of the previous run", () => {
    const when = { bootSeconds: 120, everySeconds: 3600 };
    expect(
      parsed(renderTimer({ name: "hearth-x", description: "X", when, randomDelaySeconds: 0 })),
    ).toMatchObject({ "Timer.OnBootSec": ["120"], "Timer.OnUnitInactiveSec": ["3600"] });
  });
});

it("[H13] [A9] a program that runs once in an image is equally confined, and no log keeps its output", () => {
  const argv = runOnce(EVERYTHING, ["/bin/x", "--flag"]);
  for (const option of [
    ...["--rm", "--pull=never", "--network=none", "--read-only", "--cap-drop=all", "--log-driver=none"],
    ...["--security-opt=no-new-privileges", "--user=991:992", "--entrypoint=/bin/x"],
    ...["--volume=/home/alice/data:/data:ro", "--volume=hearth-socket:/run/socket:ro"],
  ])
    expect(argv).toContain(option);
  expect(argv.slice(-2)).toEqual([EVERYTHING.image, "--flag"]);
  expect(argv.join(" ")).not.toMatch(/:rw|-p |--publish/);
});
