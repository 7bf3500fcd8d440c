import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderContainer, renderNetwork, renderVolume } from "../../../runtimes/quadlet/render";
import { renderTimer } from "../../../runtimes/timer";
import { CONTAINERS, LOGIN_FACTS } from "../../components/quadlet-releases";
import { type HomeHost, homeHost } from "../../support/home-host";
import { EVERYTHING, JOB } from "./sample";

// Podman's real generator and the real systemd of a login user on a real host.
const NAME = `quadlet-${process.pid}`;
const PROGRAM = `${LOGIN_FACTS.home}/check_quadlet.sh`;
let home: HomeHost;

const sh = (text: string) => home.sh(text);

beforeAll(async () => {
  home = await homeHost(NAME);
  await home.root(`loginctl enable-linger ${LOGIN_FACTS.user}`);
  const program = readFileSync(
    join(__dirname, "../../../runtimes/quadlet/programs/check_quadlet.sh"),
    "utf8",
  );
  await home.sh(`cat >${PROGRAM}; mkdir -p ${CONTAINERS}`, program);
});
afterAll(() => home.down());

describe("Quadlet's own generator", () => {
  const write = async (folder: string, files: Record<string, string>) => {
    await sh(`rm -rf ${folder}; mkdir -p ${folder}`);
    for (const [name, text] of Object.entries(files)) await home.sh(`cat >${folder}/${name}`, text);
  };
  const check = async (folder: string, names: string[]) => {
    const files = names.map((name) => `${folder}/${name}`).join(" ");
    return sh(`QUADLET_UNIT_DIRS=${folder} sh ${PROGRAM} ${files} 2>&1; echo "status $?"`);
  };
  const timer = { name: "hearth-job", description: "Job", randomDelaySeconds: 5 };
  const FILES = {
    "hearth-probe.container": renderContainer(EVERYTHING),
    "hearth-job.container": renderContainer(JOB),
    "hearth.network": renderNetwork(),
    "hearth-socket.volume": renderVolume("hearth-socket"),
    "hearth-job.timer": renderTimer({ ...timer, when: { calendar: "monthly" } }),
    "hearth-other.timer": renderTimer({ ...timer, when: { bootSeconds: 60, everySeconds: 600 } }),
  };

  it("[H1] and systemd accept every kind of file without a message", async () => {
    await write("/var/tmp/quadlets", FILES);
    expect(await check("/var/tmp/quadlets", Object.keys(FILES))).toBe("status 0");
  });

  it.each([
    ["an option that Quadlet does not know", "hearth-job.container", "Pull=", "Pulled=", "Pulled"],
    ["an option that systemd does not know", "hearth-job.container", "TasksMax=", "TaskMax=", "TaskMax"],
    ["a time that never comes", "hearth-job.timer", "=monthly", "=someday", "someday"],
  ])("%s is a fault of the file that contains it", async (_what, file, from, to, words) => {
    const broken = { ...FILES, [file]: (FILES[file as keyof typeof FILES] ?? "").replace(from, to) };
    await write("/var/tmp/broken", broken);
    const said = await check("/var/tmp/broken", Object.keys(broken));
    expect(said).toContain(words);
    expect(said).toContain("status 1");
    const others = Object.keys(broken).filter((name) => name !== file);
    expect(await check("/var/tmp/broken", others)).toBe("status 0");
  });

  it("[H15] a network that Podman fails to create at first is created later, and the container that requires it starts", async () => {
    const failing = `#!/bin/sh
case " $* " in *" network create "*)
  tries=$(cat /var/tmp/tries 2>/dev/null || echo 0)
  echo $((tries + 1)) >/var/tmp/tries
  [ "$tries" -ge 2 ] || exit 125 ;;
esac
exec /usr/bin/podman.real "$@"
`;
    // The unit that Quadlet generates for `Network=hearth.network`.
    const needs =
      "[Unit]\nRequires=hearth-network.service\nAfter=hearth-network.service\n[Service]\nExecStart=/bin/sleep infinity\n";
    const unit = "$HOME/.config/systemd/user/needs.service";
    await home.root("mv /usr/bin/podman /usr/bin/podman.real");
    try {
      await home.root(`cat >/usr/bin/podman <<'END'\n${failing}END\nchmod 0755 /usr/bin/podman`);
      await home.sh(`cat >${CONTAINERS}/hearth.network`, renderNetwork());
      await home.sh(`mkdir -p "$(dirname ${unit})"; cat >${unit}`, needs);
      await sh("systemctl --user daemon-reload; systemctl --user start needs");
      expect(await sh("systemctl --user is-active needs hearth-network; cat /var/tmp/tries")).toBe(
        "active\nactive\n3",
      );
    } finally {
      await home.root("mv /usr/bin/podman.real /usr/bin/podman");
      await sh(
        `systemctl --user stop needs hearth-network; rm ${unit} ${CONTAINERS}/hearth.network; systemctl --user daemon-reload; podman network rm hearth`,
      );
    }
  });

  it("passes exactly the given words and variables to the program", async () => {
    const image = "docker.io/library/postgres:17.6";
    const print = 'printf "<%s>" "$@" "$WEIRD"; echo';
    const words = [...(EVERYTHING.command ?? []), "--on=a line", "--of", "its own \\"];
    const job = {
      ...{ ...JOB, image, uid: 999, gid: 999, environment: EVERYTHING.environment },
      ...{ entrypoint: "/bin/sh", command: ["-c", print, "sh", ...words] },
    };
    await home.sh(`cat >${CONTAINERS}/hearth-job.container`, renderContainer(job));
    await sh("systemctl --user daemon-reload && systemctl --user start hearth-job.service");
    await sh(`rm ${CONTAINERS}/hearth-job.container && systemctl --user daemon-reload`);
    const expected = [...words, EVERYTHING.environment.WEIRD].map((word) => `<${word}>`).join("");
    const log = "journalctl --user -u hearth-job.service -o cat --no-pager";
    // The journal may show the line some seconds later.
    const said = await sh(`for _ in $(seq 60); do ${log} | grep '^<' && break; sleep 1; done`);
    expect(said).toBe(expected);
  });
});
