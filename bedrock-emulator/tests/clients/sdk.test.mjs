// The AWS SDK for JavaScript against the emulator's binary. BEDROCK_EMULATOR_BIN is the path of the binary.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import {
  AccessDeniedException,
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  ModelStreamErrorException,
  ThrottlingException,
  ValidationException,
} from "@aws-sdk/client-bedrock-runtime";

const START_TIMEOUT_MS = 10_000;
const modelId = "anthropic.claude-3-5-sonnet-20241022-v2:0";
const thinkingModelId = "us.anthropic.claude-sonnet-4-20250514-v1:0";
const keys = { accessKeyId: "AKIDEMULATOREXAMPLE", secretAccessKey: "emulator-secret-access-key-example" };

let emulator;
let endpoint;
const clients = [];

before(async () => {
  const binary = process.env.BEDROCK_EMULATOR_BIN;
  assert.ok(binary, "set BEDROCK_EMULATOR_BIN to the path of the bedrock-emulator binary (cargo build -p bedrock-emulator)");
  emulator = spawn(binary, ["--listen", "127.0.0.1:0", "--pace", "0", "--first-token-ms", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  endpoint = await addressOf(emulator);
});

after(() => {
  for (const each of clients) each.destroy();
  emulator?.kill();
});

function addressOf(child) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the emulator printed no address in time")), START_TIMEOUT_MS);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the emulator ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /listening on (http:\S+)/.exec(line)?.[1];
      if (url) {
        clearTimeout(timer);
        resolve(url);
      }
    });
  });
}

function client(options = {}) {
  const made = new BedrockRuntimeClient({ region: "us-east-1", endpoint, credentials: keys, maxAttempts: 1, ...options });
  clients.push(made);
  return made;
}

const user = (text) => [{ role: "user", content: [{ text }] }];
const body = (text) => JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 1000, messages: [{ role: "user", content: text }] });

async function streamed(of, text, id = modelId) {
  const events = [];
  const { stream } = await of.send(new ConverseStreamCommand({ modelId: id, messages: user(text) }));
  for await (const event of stream) events.push(event);
  return events;
}

const textOf = (events) => events.map((event) => event.contentBlockDelta?.delta?.text ?? "").join("");

async function newestCall() {
  const calls = await (await fetch(`${endpoint}/_emulator/ledger`)).json();
  return calls.at(-1);
}

test("Converse and ConverseStream give one answer, signed with SigV4", async () => {
  const whole = await client().send(new ConverseCommand({ modelId, messages: user("Explain rivers") }));
  assert.equal(whole.stopReason, "end_turn");
  const text = whole.output.message.content[0].text;
  assert.match(text, /^## Rivers/);
  const events = await streamed(client(), "Explain rivers");
  assert.equal(textOf(events), text);
  assert.equal(events[0].messageStart.role, "assistant");
  assert.equal(events.at(-2).messageStop.stopReason, "end_turn");
  assert.deepEqual(events.at(-1).metadata.usage, whole.usage);
  assert.equal(whole.usage.totalTokens, whole.usage.inputTokens + whole.usage.outputTokens);
  const call = await newestCall();
  assert.deepEqual([call.principal, call.outcome, call.textSent], [keys.accessKeyId, "completed", text]);
});

test("ConverseStream speaks HTTP/2 without TLS", async () => {
  await streamed(client(), "hello");
  assert.equal((await newestCall()).httpVersion, "HTTP/2.0");
});

test("a model is found by the ARN of its inference profile", async () => {
  const arn = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.${modelId}`;
  assert.match(textOf(await streamed(client(), "hello", arn)), /^Hello/);
  assert.equal((await newestCall()).modelId, arn);
});

test("InvokeModel and its stream give Anthropic's messages", async () => {
  const answer = await client().send(new InvokeModelCommand({ modelId, body: body("Explain rivers"), contentType: "application/json" }));
  const message = JSON.parse(new TextDecoder().decode(answer.body));
  assert.equal(message.stop_reason, "end_turn");
  const stream = await client().send(new InvokeModelWithResponseStreamCommand({ modelId, body: body("Explain rivers") }));
  const chunks = [];
  for await (const event of stream.body) chunks.push(JSON.parse(new TextDecoder().decode(event.chunk.bytes)));
  assert.equal(chunks.map((chunk) => chunk.delta?.text ?? "").join(""), message.content[0].text);
  assert.equal(chunks.at(-1).type, "message_stop");
});

test("reasoning and tool use arrive as the SDK models them", async () => {
  const events = await streamed(client(), '/reasoning /tool get_weather {"city":"Oslo"} Is it cold?');
  const deltas = events.map((event) => event.contentBlockDelta?.delta).filter(Boolean);
  assert.notEqual(deltas.map((delta) => delta.reasoningContent?.text ?? "").join(""), "");
  assert.equal(deltas.filter((delta) => delta.reasoningContent?.signature).length, 1);
  assert.deepEqual(JSON.parse(deltas.map((delta) => delta.toolUse?.input ?? "").join("")), { city: "Oslo" });
  assert.equal(events.find((event) => event.messageStop).messageStop.stopReason, "tool_use");
});

const clockTools = { tools: ["clock", "calendar"].map((name) => ({ toolSpec: { name, description: `Reads the ${name}.`, inputSchema: { json: { type: "object", properties: {} } } } })) };

/** The assistant's message of a stream, put together as an application does. */
async function streamedMessage(messages) {
  const { stream } = await client().send(new ConverseStreamCommand({ modelId: thinkingModelId, messages, toolConfig: clockTools }));
  const content = [];
  let stopReason;
  for await (const event of stream) {
    const { start, delta, contentBlockIndex: index } = event.contentBlockStart ?? event.contentBlockDelta ?? {};
    if (start?.toolUse) content[index] = { toolUse: { ...start.toolUse, input: "" } };
    if (delta?.text) content[index] = { text: (content[index]?.text ?? "") + delta.text };
    if (delta?.toolUse) content[index].toolUse.input += delta.toolUse.input;
    if (delta?.reasoningContent?.redactedContent) content[index] = { reasoningContent: delta.reasoningContent };
    else if (delta?.reasoningContent) {
      const before = content[index]?.reasoningContent.reasoningText ?? { text: "" };
      const { text = "", signature = before.signature } = delta.reasoningContent;
      content[index] = { reasoningContent: { reasoningText: { text: before.text + text, signature } } };
    }
    stopReason = event.messageStop?.stopReason ?? stopReason;
  }
  for (const { toolUse } of content) if (toolUse) toolUse.input = JSON.parse(toolUse.input);
  return { message: { role: "assistant", content }, stopReason };
}

for (const prefix of ["/think", "/redacted"]) {
  test(`parallel tools are streamed, answered in one turn and told, with reasoning kept (${prefix})`, async () => {
    const ask = user(`${prefix} /tool clock /tool calendar {"year":2026} What day is it?`);
    const { message, stopReason } = await streamedMessage(ask);
    assert.equal(stopReason, "tool_use");
    const reasoning = message.content[0].reasoningContent;
    assert.ok(prefix === "/think" ? reasoning.reasoningText.signature : reasoning.redactedContent instanceof Uint8Array);
    const uses = message.content.flatMap(({ toolUse }) => toolUse ?? []);
    assert.deepEqual(uses.map(({ name, input }) => [name, input]), [["clock", {}], ["calendar", { year: 2026 }]]);
    const [clock, calendar] = uses.map(({ toolUseId }) => toolUseId);
    const results = [
      { toolResult: { toolUseId: clock, content: [{ json: { hour: 12, zone: "UTC" } }] } },
      { toolResult: { toolUseId: calendar, content: [{ text: "no such year" }], status: "error" } },
    ];
    const messages = [...ask, message, { role: "user", content: results }];
    const told = await streamedMessage(messages);
    assert.equal(told.stopReason, "end_turn");
    const text = told.message.content.map((block) => block.text ?? "").join("");
    assert.match(text, /\| Zone \| UTC \|/);
    assert.match(text, /The tool failed: no such year/);
    const short = [...ask, message, { role: "user", content: results.slice(1) }];
    await assert.rejects(client().send(new ConverseCommand({ modelId, messages: short, toolConfig: clockTools })), (error) => {
      assert.ok(error instanceof ValidationException);
      assert.match(error.message, new RegExp(`Expected toolResult blocks at messages.2.content for the following Ids: ${clock}`));
      return true;
    });
  });
}

test("an image and a document are read, and what is no image is refused", async () => {
  const png = new Uint8Array(600);
  png.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 2, 0x80, 0, 0, 1, 0xe0]);
  const send = (bytes) => {
    const files = [{ image: { format: "png", source: { bytes } } }, { document: { format: "txt", name: "Notes", source: { bytes: Buffer.from("Rivers run to the sea") } } }];
    return client().send(new ConverseCommand({ modelId, messages: [{ role: "user", content: [{ text: "Explain rivers" }, ...files] }] }));
  };
  const { text } = (await send(png)).output.message.content[0];
  assert.match(text, /^You sent an image \(PNG, 640×480, 600 bytes\)\.\n\nYou sent the document “Notes” \(TXT, 21 bytes\)\. It says: “Rivers run to the sea”\./);
  await assert.rejects(send(png.slice(1)), (error) => error instanceof ValidationException && /Could not process image/.test(error.message));
});

test("a Bedrock API key is taken as a bearer token, and a wrong one is not", async () => {
  const bearer = (token) => client({ credentials: undefined, token: { token }, authSchemePreference: ["httpBearerAuth"] });
  await bearer("bedrock-api-key-emulator-example").send(new ConverseCommand({ modelId, messages: user("hello") }));
  assert.equal((await newestCall()).principal, "api-key");
  await assert.rejects(bearer("wrong").send(new ConverseCommand({ modelId, messages: user("hello") })), AccessDeniedException);
});

test("wrong keys have the error names of AWS", async () => {
  const say = (credentials) => client({ credentials }).send(new ConverseCommand({ modelId, messages: user("hello") }));
  await assert.rejects(say({ ...keys, secretAccessKey: "wrong" }), { name: "InvalidSignatureException" });
  await assert.rejects(say({ ...keys, accessKeyId: "AKIDSOMEONEELSE" }), { name: "UnrecognizedClientException" });
  await assert.rejects(say({ ...keys, sessionToken: "surplus" }), { name: "UnrecognizedClientException" });
});

test("errors are the SDK's typed ones", async () => {
  const send = (text, id = modelId) => client().send(new ConverseCommand({ modelId: id, messages: user(text) }));
  await assert.rejects(send("hello", "anthropic.claude-9"), (error) => {
    assert.ok(error instanceof ValidationException);
    assert.equal(error.message, "The provided model identifier is invalid.");
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.ok(error.$metadata.requestId);
    return true;
  });
  await assert.rejects(send(" "), ValidationException);
  await assert.rejects(send("/throttle hello"), ThrottlingException);
});

test("throttling is retried by the SDK and then answered", async () => {
  const retrying = client({ maxAttempts: 3 });
  const answer = await retrying.send(new ConverseCommand({ modelId, messages: user("/throttle 2 hello") }));
  assert.equal(answer.$metadata.attempts, 3);
  assert.equal(answer.stopReason, "end_turn");
});

test("an exception in mid-stream is thrown as its type, after the text before it", async () => {
  const { stream } = await client().send(new ConverseStreamCommand({ modelId, messages: user("/error-mid modelStreamErrorException 5 Explain rivers") }));
  let deltas = 0;
  await assert.rejects(async () => {
    for await (const event of stream) deltas += event.contentBlockDelta ? 1 : 0;
  }, ModelStreamErrorException);
  assert.equal(deltas, 5);
});

test("a broken frame is noticed", async () => {
  await assert.rejects(streamed(client(), "/broken-frame 3 Explain rivers"), /checksum/);
});

test("a stream without its last events ends without an error, so a caller must look", async () => {
  const events = await streamed(client(), "/no-stop Explain rivers");
  assert.ok(!events.some((event) => event.messageStop || event.metadata));
  assert.notEqual(textOf(events), "");
});

// Whether Node reports the lost HTTP/2 connection as an error differs by version; that the message never stops does not.
test("a cut connection gives the text before it and no messageStop", async () => {
  const { stream } = await client().send(new ConverseStreamCommand({ modelId, messages: user("/cut 3 Explain rivers") }));
  const kinds = [];
  try {
    for await (const event of stream) kinds.push(Object.keys(event)[0]);
  } catch (error) {
    assert.ok(error instanceof Error);
  }
  assert.deepEqual(kinds, ["messageStart", "contentBlockDelta", "contentBlockDelta", "contentBlockDelta"]);
  assert.equal((await newestCall()).outcome, "cut");
});
