import { MatrixClients } from "../../../sandbox/matrix/clients";

let clients: MatrixClients;

beforeAll(() => {
  // Port 443 of a loopback address without a listener.
  clients = new MatrixClients({ resolve: { "gone.test": "127.255.255.254" } });
});

afterAll(() => clients.close());

test("the error names a missing server, with the document that a client requests", async () => {
  const login = clients
    .session("one")
    .login({ serverName: "gone.test", user: "alice", password: "secret-1234" });
  await expect(login).rejects.toThrow("https://gone.test/.well-known/matrix/client leads to no homeserver");
});

test("an error never contains the password", async () => {
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

test("a session that is not logged in fails at once", async () => {
  await expect(clients.session("three").send({ roomId: "!a", text: "b" })).rejects.toThrow("not logged in");
});

test("after the process has ended, calls fail at once", async () => {
  const short = new MatrixClients({ resolve: {} });
  await short.close();
  await expect(short.session("one").logout()).rejects.toThrow();
});
