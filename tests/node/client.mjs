// The official Socket.IO client, driven by lines of JSON: {"do": "open" | "emit" | "close", "who", ...} on the input;
// {"who", "event", "data"} on the output, and {"answer": id, "data"} for what was emitted with an id.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const sockets = new Map();
const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const commands = {
  open({ who, address, token, transports }) {
    const socket = io(address, {
      auth: { token },
      transports,
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 200,
    });
    socket.onAny((event, data) => tell({ who, event, data }));
    const follow = () => {
      const engine = socket.io.engine;
      tell({ who, event: "transport", data: { name: engine.transport.name } });
      engine.on("upgrade", (transport) => tell({ who, event: "transport", data: { name: transport.name } }));
    };
    follow();
    socket.io.on("reconnect_attempt", () => setTimeout(follow, 0));
    socket.on("disconnect", (reason) => tell({ who, event: "disconnect", data: { reason } }));
    socket.on("connect_error", (error) => tell({ who, event: "connect_error", data: { message: error.message, data: error.data } }));
    sockets.set(who, socket);
  },
  emit({ who, id, event, data }) {
    sockets
      .get(who)
      .timeout(120000)
      .emit(event, data, (error, answer) => tell({ answer: id, data: error ? { error: String(error) } : answer }));
  },
  close({ who }) {
    sockets.get(who).disconnect();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  commands[command.do](command);
}
process.exit(0);
