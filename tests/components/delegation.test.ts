import { wellKnownDocuments } from "../../components/delegation/documents";
import { fixture, runProgram } from "../support/program";

const homeserver = { publicHost: "matrix.example.org" };

describe("[V3] the well-known documents", () => {
  it("lead servers and clients to the public host", () => {
    const documents = wellKnownDocuments(homeserver, {});
    expect(JSON.parse(documents.server)).toEqual({ "m.server": "matrix.example.org:443" });
    expect(JSON.parse(documents.client)).toEqual({
      "m.homeserver": { base_url: "https://matrix.example.org" },
    });
  });

  it("name an identity server only if the stack has one", () => {
    const { client } = wellKnownDocuments(homeserver, { identityServer: "https://id.example.org" });
    expect(JSON.parse(client)).toHaveProperty(["m.identity_server", "base_url"], "https://id.example.org");
  });

  it("are stack outputs, and on no host, if another web server must serve them", async () => {
    const run = await runProgram(fixture("elsewhere"));
    expect(run.outputs.wellKnown).toEqual({
      server: expect.stringContaining("m.server"),
      client: expect.stringContaining("m.homeserver"),
    });
    expect(JSON.stringify(run.resources)).not.toContain("/.well-known/");
  });

  it("are not outputs if this stack serves them", async () => {
    expect((await runProgram(fixture("minimal"))).outputs.wellKnown).toBe("served here");
  });
});
