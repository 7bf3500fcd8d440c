import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../provider/contract/connection";
import { shellWord, visible, visibleLines } from "../../provider/text";
import { handArguments } from "../../provider/transport/failures";

describe("what a terminal would obey is shown instead", () => {
  it.each([
    ["escape sequences", "Al\u001b[1A\u001b[2Kice\u0007", "Al\\u001b[1A\\u001b[2Kice\\u0007"],
    ["line breaks", "one\r\ntwo\tthree", "one\\r\\ntwo\\tthree"],
    ["C1 controls", "\u009b2K\u0085", "\\u009b2K\\u0085"],
    ["what turns the direction of writing", "a\u202egnp.exe\u2066", "a\\u202egnp.exe\\u2066"],
    ["line separators", "a\u2028b\u2029c", "a\\u2028b\\u2029c"],
    ["everything else stays", "Zoë 🦊 שלום — 'x'", "Zoë 🦊 שלום — 'x'"],
  ])("%s", (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(visibleLines(text)).toBe(shown.replaceAll("\\n", "\n").replaceAll("\\t", "\t"));
  });
});

describe("a command that a reader pastes runs nothing but itself", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "hearth-words-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const hostile = (proof: string) => [
    `$(touch ${proof})`,
    `\`touch ${proof}\``,
    `a; touch ${proof}`,
    `a' ; touch ${proof} ; '`,
    `a" ; touch ${proof} ; "`,
    `a\ntouch ${proof}`,
    `\${IFS}`,
    "~root/*",
    "",
    "plain-1.example_x",
  ];

  it("every word reaches the program as it is", () => {
    const proof = join(folder, "proof");
    const words = hostile(proof);
    const command = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
    const said = execFileSync("sh", ["-c", command], { encoding: "utf8", cwd: folder });
    expect(said.split("\0").slice(0, -1)).toEqual(words);
    expect(existsSync(proof)).toBe(false);
  });

  it("the login that is suggested, whatever the connection holds", () => {
    const proof = join(folder, "by-hand");
    for (const word of hostile(proof)) {
      const connection: Connection = {
        ...{ name: "vps", transport: "ssh", become: "none", port: 22 },
        ...{
          address: word,
          user: word,
          jump: word,
          sshConfigFile: word,
          identityFile: word,
          knownHostsFile: word,
        },
      };
      const command = `printf '%s\\0' ${handArguments(connection)}`;
      const said = execFileSync("sh", ["-c", command], { encoding: "utf8", cwd: folder }).split("\0");
      if (word !== "") expect(said).toEqual(expect.arrayContaining(["-J", word, "-F", `${word}@${word}`]));
    }
    expect(existsSync(proof)).toBe(false);
  });
});
