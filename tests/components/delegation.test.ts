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

  it("name an identity server only when there is one", () => {
    const { client } = wellKnownDocuments(homeserver, { identityServer: "https://id.example.org" });
    expect(JSON.parse(client)).toHaveProperty(["m.identity_server", "base_url"], "https://id.example.org");
  });

  it("are stack outputs when another web server has to serve them, and on no host", async () => {
    const run = await runProgram(fixture("elsewhere"));
    expect(run.outputs.wellKnown).toEqual({
      server: expect.stringContaining("m.server"),
      client: expect.stringContaining("m.homeserver"),
    });
    expect(JSON.stringify(run.resources)).not.toContain("/.well-known/");
  });

  it("are no outputs when they are served here", async () => {
    expect((await runProgram(fixture("minimal"))).outputs.wellKnown).toBe("served here");
  });
});
