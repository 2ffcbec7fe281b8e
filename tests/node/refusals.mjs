// Sends bodies that are refused before they are read, and counts what fetch makes of the answers.
const [address, token, times] = process.argv.slice(2);
const many = Buffer.alloc(6 * 1024 * 1024, "x");
const json = { "Content-Type": "application/json" };
const form = new FormData();
form.append("file", new Blob([many]), "a.jpg");
const stream = () => new ReadableStream({
  start(controller) {
    for (let at = 0; at < many.length; at += 65536) controller.enqueue(many.subarray(at, at + 65536));
    controller.close();
  },
});
const bearer = { Authorization: `Bearer ${token}` };
const requests = {
  file: ["/api/uploads", { method: "POST", body: form, headers: bearer }],
  chunked: ["/api/listings", { method: "POST", body: stream, duplex: "half", headers: { ...json, ...bearer } }],
  long: ["/api/listings", { method: "POST", body: many, headers: { ...json, ...bearer } }],
  stranger: ["/api/uploads", { method: "POST", body: form }],
  nowhere: ["/api/nothing", { method: "POST", body: many, headers: json }],
  method: ["/api/search", { method: "DELETE", body: many, headers: json }],
  packets: ["/socket.io/?EIO=4&transport=polling&sid=x", { method: "POST", body: many }],
};
const found = {};
for (const [name, [path, how]] of Object.entries(requests)) {
  found[name] = { connections: new Set() };
  for (let number = 0; number < Number(times); number++) {
    const body = typeof how.body === "function" ? how.body() : how.body;
    let result;
    try {
      const answer = await fetch(address + path, { ...how, body });
      result = `${answer.status} ${(await answer.json()).code}`;
      found[name].connections.add(answer.headers.get("connection"));
    } catch (error) {
      result = `failed: ${error.cause?.code ?? error.message}`;
    }
    found[name][result] = (found[name][result] ?? 0) + 1;
  }
  found[name].connections = [...found[name].connections];
}
console.log(JSON.stringify(found));
