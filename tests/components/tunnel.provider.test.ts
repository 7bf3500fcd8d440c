import { powerCutHost, rebootHost, upHost } from "../../sandbox";
import { ok } from "../support/host-programs";
import { eventually } from "../support/jobs";
import { changesOf, failureOf } from "../support/real-release";
import { TunnelHost } from "./tunnel-host";
import { fromOutside } from "./tunnel-outside";

// The real tailscaled 1.100.0. Tailscale's service is a stand-in, and Funnel's ingress uses the real peer API.
const TARGET = "http://127.0.0.1:8080";
const FUNNEL = `funnel 443 -> ${TARGET}`;

let on: TunnelHost;
let name: string;
let key: string;

beforeAll(async () => {
  on = await TunnelHost.start(String(process.pid));
  name = `chat.${on.tailnet.domain}`;
  key = on.tailnet.keys.valid;
});
afterAll(() => on.stop());

/** Waits until a request from the internet succeeds. */
const reached = () =>
  eventually(async () => {
    const answer = await fromOutside(on.tailnet, `https://${name}/`).catch(() => undefined);
    return answer?.status === 200;
  }, 120);

describe("[H5] joining", () => {
  it("refuses an expired auth key with the service's message, with the fix and without the key", async () => {
    const failure = failureOf(await on.apply("chat", on.tailnet.keys.expired));
    expect(failure).toMatchObject({ step: "tasks", undone: "ok" });
    expect(failure.text).toContain("invalid key: API key does not exist");
    expect(failure.text).toContain("https://login.tailscale.com/admin/settings/keys");
    expect(failure.text).toContain(
      "npm run pulumi -- config set --secret --path 'hearth:secrets.tunnel.authKey'",
    );
    expect(await on.funnels()).toEqual([]);
  });

  it("without a key shows one login link until somebody opens it, then continues", async () => {
    const first = failureOf(await on.apply("linked"));
    const [link = "none"] = /https:\/\/control\S+/.exec(first.text) ?? [];
    expect(first.text).toContain("Open this link, log in, then run pulumi up again");
    const second = failureOf(await on.apply("linked"));
    expect(second.text).toContain(link);
    expect((await fromOutside(on.tailnet, link)).status).toBe(200);
    ok(await on.apply("linked"));
    expect(await on.sh("tailscale status --json")).toContain(`"linked.${on.tailnet.domain}."`);
    await on.sh("tailscale logout");
  });

  it.each([
    ["withoutFunnel", "nofunnel", '"nodeAttrs": [{"target": ["autogroup:member"], "attr": ["funnel"]}]'],
    ["withoutHttps", "nohttps", "switch on MagicDNS and HTTPS certificates"],
  ] as const)("says what to change in the tailnet for a host %s", async (which, node, advice) => {
    const failure = failureOf(await on.apply(node, on.tailnet.keys[which]));
    expect(failure.step).toBe("tasks");
    expect(failure.text).toContain("Funnel is not enabled on your tailnet. To enable, visit:");
    expect(failure.text).toContain(advice);
    await on.sh("tailscale logout");
  });

  it("joins with the key, under the public name, and Funnel is on", async () => {
    ok(await on.apply("chat", key));
    expect(await on.states()).toEqual({
      "10-daemon": "enabled, active",
      "20-joined": `${name} at ${on.tailnet.controlUrl}`,
      "30-funnel": FUNNEL,
    });
  });

  it("[A1] changes nothing the second time", async () => {
    expect(changesOf(ok(await on.apply("chat", key)))).toEqual([]);
  });

  it("[A9] keeps the key in one file that belongs to root", async () => {
    const found = await on.sh(`grep -rl -- '${key}' /etc /usr/local /run /var/lib /tmp 2>/dev/null || true`);
    expect(found).toBe("/etc/hearth/tunnel/auth-key");
    expect(await on.sh("stat -c '%a %U' /etc/hearth/tunnel/auth-key")).toBe("600 root");
    expect(await on.sh(`journalctl -o cat | grep -c -- '${key}' || true`)).toBe("0");
  });
});

describe("[H5] [H6] traffic from the internet", () => {
  beforeAll(async () => {
    await on.echo();
    // The ingress and the node need some seconds to find each other.
    expect(await reached()).toBe(true);
  });

  it("reaches the host's loopback with the client's address, which the client cannot forge", async () => {
    const forged = {
      "X-Forwarded-For": "192.0.2.66",
      "X-Forwarded-Proto": "http",
      Forwarded: "for=192.0.2.66",
      "Tailscale-User-Login": "admin@example.org",
    };
    const url = `https://${name}/_matrix/client/v3/join/%23a%2Fb:example.org?x=%2F`;
    const { status, body } = await fromOutside(on.tailnet, url, forged);
    expect(status).toBe(200);
    const { line, headers } = JSON.parse(body);
    // An encoded slash stays encoded: servers sign the path as it is.
    expect(line).toBe("GET /_matrix/client/v3/join/%23a%2Fb:example.org?x=%2F HTTP/1.1");
    expect(headers).toMatchObject({
      Host: name,
      "X-Forwarded-For": on.tailnet.host.address.replace(/\d+$/, "1"),
      "X-Forwarded-Proto": "https",
      "X-Forwarded-Host": name,
      "Tailscale-Funnel-Request": "?1",
    });
    expect(headers).not.toHaveProperty("Forwarded");
    expect(headers).not.toHaveProperty("Tailscale-User-Login");
  });

  it("for any other name fails in the TLS handshake", async () => {
    await expect(fromOutside(on.tailnet, "https://matrix.example.org/")).rejects.toThrow(
      /ECONNRESET|socket|disconnected/,
    );
  });
});

describe("[A3] the next preview shows changes by hand, and the next update repairs them", () => {
  it.each([
    ["switched off", "tailscale funnel --https=443 off", "nothing on 443"],
    [
      "another target",
      "tailscale funnel --bg --yes --https=443 http://127.0.0.1:9999",
      "funnel 443 -> http://127.0.0.1:9999",
    ],
    [
      "within the tailnet only",
      `tailscale serve --bg --yes --https=443 ${TARGET}`,
      `tailnet only 443 -> ${TARGET}`,
    ],
    [
      "one more path",
      "tailscale funnel --bg --yes --https=443 --set-path=/admin http://127.0.0.1:9999",
      `${FUNNEL}, /admin -> http://127.0.0.1:9999`,
    ],
    [
      "TCP instead of it",
      "tailscale funnel --https=443 off; tailscale funnel --bg --yes --tcp=443 tcp://127.0.0.1:22",
      "funnel 443 -> tcp -> 127.0.0.1:22",
    ],
  ])("Funnel: %s", async (_, command, seen) => {
    await on.sh("tailscale funnel --bg --yes --https=8443 http://127.0.0.1:7777");
    await on.sh(command);
    expect((await on.states())["30-funnel"]).toBe(seen);
    expect(changesOf(ok(await on.apply("chat", key)))).toEqual([`task 30-funnel: '${FUNNEL}'`]);
    expect((await on.states())["30-funnel"]).toBe(FUNNEL);
    // Other ports belong to the operator.
    expect(await on.funnels()).toEqual(["443", "8443"]);
  });

  it("Tailscale turned off, or the daemon stopped", async () => {
    await on.sh("tailscale down");
    expect((await on.states())["20-joined"]).toBe("logged in, but switched off");
    ok(await on.apply("chat", key));
    await on.sh("systemctl disable -q --now tailscaled");
    expect(await on.states()).toMatchObject({
      "10-daemon": "disabled, inactive",
      "20-joined": "tailscaled does not answer",
      "30-funnel": "tailscaled does not answer",
    });
    ok(await on.apply("chat", key));
    expect((await on.states())["30-funnel"]).toBe(FUNNEL);
  });
});

describe("[H15] after a boot Funnel is on again, without a login", () => {
  it.each([
    ["a reboot", () => rebootHost(on.host.name)],
    [
      "a power cut",
      async () => {
        await powerCutHost(on.host.name);
        await upHost({ name: on.host.name });
      },
    ],
  ])("%s", async (_, boot) => {
    await boot();
    await on.echo();
    expect(await reached()).toBe(true);
    expect(changesOf(ok(await on.apply("chat", key)))).toEqual([]);
  });
});

describe("[A10] the release is deleted", () => {
  it("Funnel is turned off; the host stays in its tailnet, and its other ports stay", async () => {
    ok(await on.delete());
    expect(await on.funnels()).toEqual(["8443"]);
    expect(await on.sh("systemctl is-active tailscaled; tailscale status --json | grep BackendState")).toBe(
      'active\n  "BackendState": "Running",',
    );
  });
});

describe("[H5] a host on which Hearth does not become root", () => {
  it("prints the commands that only root can run, and works after them", async () => {
    await on.sh("apt-get install -qy dbus-user-session && loginctl enable-linger debian");
    await on.sh("systemctl start user@1000 && systemctl disable -q --now tailscaled");
    const command = "sudo systemctl enable --now tailscaled.service";
    expect(failureOf(await on.asUser("apply")).text).toContain(command);
    await on.sh("systemctl enable -q --now tailscaled");
    const stranger = failureOf(await on.asUser("apply")).text;
    expect(stranger).toContain("Access denied");
    expect(stranger).toContain("As root, once: tailscale set --operator=debian");
    await on.sh("tailscale set --operator=debian");
    ok(await on.asUser("apply"));
    expect(await on.funnels()).toEqual(["443", "8443"]);
    expect(changesOf(ok(await on.asUser("apply")))).toEqual([]);
    ok(await on.asUser("delete"));
    expect(await on.funnels()).toEqual(["8443"]);
  });
});

describe("[H6] the host's name", () => {
  it("is refused if another host has it, with both names and the fixes", async () => {
    await on.sh("tailscale logout");
    const failure = failureOf(await on.apply("chat", key));
    expect(failure.text).toContain(
      `is chat-1.${on.tailnet.domain}, but hearth:homeserver.publicHost is ${name}`,
    );
    expect(failure.text).toContain("another machine of the tailnet has the name chat");
  });

  it("is set again after it was changed on the host", async () => {
    ok(await on.apply("renamed", key));
    expect(await on.sh("tailscale status --json")).toContain(`"renamed.${on.tailnet.domain}."`);
  });

  it("in another tailnet than the stack says is refused, and Hearth does not leave that tailnet by itself", async () => {
    const elsewhere = { controlUrl: "https://other.example.org" };
    const failure = failureOf(await on.apply("renamed", key, elsewhere));
    expect(failure.text).toContain(`this machine is in a tailnet of ${on.tailnet.controlUrl}`);
    expect(failure.text).toContain("tailscale logout");
    expect(await on.sh("tailscale status --json | grep BackendState")).toContain("Running");
  });
});
