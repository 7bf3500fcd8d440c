import { MatrixClients } from "../../../sandbox/matrix/clients";

let clients: MatrixClients;

beforeAll(() => {
  // Port 443 of a loopback address that nothing listens on.
  clients = new MatrixClients({ resolve: { "gone.test": "127.255.255.254" } });
});

afterAll(() => clients.close());

test("a server that is not there is named in the error, with the document a client looks for", async () => {
  const login = clients
    .session("one")
    .login({ serverName: "gone.test", user: "alice", password: "secret-1234" });
  await expect(login).rejects.toThrow("https://gone.test/.well-known/matrix/client leads to no homeserver");
});

test("a fault never repeats the password", async () => {
  const credentials = {
    serverName: "gone.test",
    user: "alice",
    password: "secret-1234",
    baseUrl: "https://gone.test",
  };
  const fault: Error = await clients
    .session("two")
    .login(credentials)
    .then(
      () => new Error("logged in"),
      (error: Error) => error,
    );
  expect(fault.message).toMatch(/fetch failed/);
  expect(`${fault.message}${fault.stack}`).not.toContain("secret-1234");
});

test("a session that is not logged in says so instead of waiting", async () => {
  await expect(clients.session("three").send({ roomId: "!a", text: "b" })).rejects.toThrow("not logged in");
});

test("after the process has ended, calls fail at once", async () => {
  const short = new MatrixClients({ resolve: {} });
  await short.close();
  await expect(short.session("one").logout()).rejects.toThrow();
});
