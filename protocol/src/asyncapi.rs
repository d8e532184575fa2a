//! The protocol as AsyncAPI 3.0, generated from the Rust types and the golden frames.
//!
//! `docs/asyncapi.yaml` is what this module writes. The test fails when the file is not that;
//! `UPDATE_ASYNCAPI=1 cargo test -p outcrop-protocol asyncapi` brings it up to date.

use std::{collections::BTreeSet, fs, path::Path};

use schemars::{
    SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use crate::{
    RequestId, SUBPROTOCOL,
    client::ClientMessage,
    limits::{MAX_CLIENT_FRAME_BYTES, MAX_JSON_DEPTH},
    server::ServerMessage,
};

const HEAD: &str = "# Generated from the Rust types of the protocol crate by its tests. Do not edit.\n";

/// What each request is answered with, besides `chat.error`.
const REPLIES: [(&str, &[&str]); 14] = [
    ("chat.send_message", ANSWER),
    ("chat.cancel", &["chat.status", "chat.message_complete", "chat.snapshot"]),
    ("chat.resume", ANSWER),
    ("chat.regenerate", ANSWER),
    ("chat.create_session", &["chat.session_created"]),
    ("chat.list_sessions", &["chat.sessions_response"]),
    ("chat.get_history", &["chat.history_response"]),
    ("chat.rename_session", &["chat.session_updated"]),
    ("chat.delete_session", &["chat.session_deleted"]),
    ("chat.approve_tool", &["chat.tool_approved"]),
    ("chat.get_usage", &["chat.usage_response"]),
    ("client.hello", &["server.hello"]),
    ("auth.refresh", &["auth.refreshed"]),
    ("ping", &["pong"]),
];

/// What an answer comes in.
const ANSWER: &[&str] = &[
    "chat.message_response",
    "chat.message_stream",
    "chat.reasoning_stream",
    "chat.tool_use",
    "chat.tool_input_stream",
    "chat.status",
    "chat.message_complete",
    "chat.snapshot",
];

/// What the proxy says without being asked.
const UNASKED: &str = "server.draining";

/// The keys that stand first, in this order; the others follow by name. So the file is the same whatever keeps order in a build.
const FIRST: [&str; 16] = [
    "asyncapi",
    "info",
    "servers",
    "channels",
    "operations",
    "components",
    "id",
    "type",
    "name",
    "title",
    "summary",
    "action",
    "description",
    "$ref",
    "required",
    "properties",
];

/// JSON with its keys in a fixed order.
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => {
                let mut entries: Vec<_> = object.iter().collect();
                let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
                entries.sort_by_key(|(key, _)| (rank(key), key.as_str()));
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, &Ordered(value))?;
                }
                map.end()
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Ordered)),
            other => other.serialize(serializer),
        }
    }
}

/// The schemas of the data of one side's messages, and the types they are made of.
fn schemas<T>(contract: Contract, of: impl FnOnce(&mut SchemaGenerator) -> T) -> (T, Map<String, Value>) {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.contract = contract;
    });
    let mut generator = settings.into_generator();
    let types = of(&mut generator);
    let mut definitions = generator.take_definitions(true);
    definitions.values_mut().for_each(tidy);
    (types, definitions)
}

/// Takes out what holds in Rust only: absent values that are null, widths of integers, links between types.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            object.values_mut().for_each(tidy);
            if object.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
                object.remove("format");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace("[`", "`").replace("`]", "`");
            }
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = &mut types[..] {
                    let only = only.take();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(mut any)) = object.remove("anyOf") {
                any.retain(|kind| kind != &json!({ "type": "null" }));
                let all = if any.len() == 1 { "allOf" } else { "anyOf" };
                object.insert(all.to_owned(), Value::Array(any));
            }
        }
        _ => {}
    }
}

fn reference(path: &str) -> Value {
    json!({ "$ref": format!("#/{path}") })
}

fn references<'a>(types: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    types.into_iter().map(|kind| reference(&format!("channels/socket/messages/{kind}"))).collect()
}

fn example(side: &str, kind: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/{side}/{kind}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn message(side: &str, kind: &str, summary: &str, data: &Value) -> Value {
    let id = match side {
        "client" => reference("components/schemas/RequestId"),
        _ => json!({
            "type": "string",
            "maxLength": RequestId::MAX_BYTES,
            "description": "That of the request it answers; empty where it answers none."
        }),
    };
    json!({
        "name": kind,
        "summary": summary.trim(),
        "payload": {
            "type": "object",
            "required": ["id", "type", "data"],
            "properties": { "id": id, "type": { "const": kind }, "data": data }
        },
        "examples": [{ "name": kind, "payload": example(side, kind) }]
    })
}

fn operation_name(kind: &str) -> String {
    kind.replace('.', "_")
}

fn generate() -> String {
    let (client, mut definitions) = schemas(Contract::Deserialize, ClientMessage::schemas);
    let (server, of_server) = schemas(Contract::Serialize, ServerMessage::schemas);
    for (name, schema) in of_server {
        let known = definitions.insert(name.clone(), schema.clone());
        assert!(known.is_none_or(|known| known == schema), "{name} is read in another form than it is written in");
    }
    let mut messages = Map::new();
    let mut operations = Map::new();
    for (kind, summary, data) in &client {
        messages.insert((*kind).to_owned(), message("client", kind, summary, data.as_value()));
        let (_, replies) = REPLIES.iter().find(|(request, _)| request == kind).unwrap();
        operations.insert(
            operation_name(kind),
            json!({
                "action": "receive",
                "summary": summary.trim(),
                "channel": reference("channels/socket"),
                "messages": references([*kind]),
                "reply": {
                    "channel": reference("channels/socket"),
                    "messages": references(replies.iter().copied().chain(["chat.error"]))
                }
            }),
        );
    }
    for (kind, summary, data) in &server {
        messages.insert((*kind).to_owned(), message("server", kind, summary, data.as_value()));
    }
    let (_, summary, _) = server.iter().find(|(kind, ..)| *kind == UNASKED).unwrap();
    operations.insert(
        operation_name(UNASKED),
        json!({
            "action": "send",
            "summary": summary.trim(),
            "channel": reference("channels/socket"),
            "messages": references([UNASKED])
        }),
    );
    let of_channel: Map<String, Value> =
        messages.keys().map(|kind| (kind.clone(), reference(&format!("components/messages/{kind}")))).collect();
    let document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Outcrop",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What an Outcrop client and an Outcrop proxy say to each other over one WebSocket, seen from the proxy. The rules that no \
                            schema can hold (order, numbers, resuming, close codes) are in protocol.md.",
            "license": { "name": env!("CARGO_PKG_LICENSE") }
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": { "host": "127.0.0.1:3001", "protocol": "ws", "description": "A proxy on this machine, as `npm start` runs it." },
            "public": {
                "host": "{host}",
                "protocol": "wss",
                "description": "A proxy behind TLS.",
                "variables": { "host": { "description": "A name of OUTCROP_ALLOWED_HOSTS.", "default": "chat.example.com" } },
                "security": [reference("components/securitySchemes/hello"), reference("components/securitySchemes/header")]
            }
        },
        "channels": {
            "socket": {
                "address": "/ws",
                "title": "The WebSocket",
                "description": format!(
                    "Text frames of one JSON object each, nested at most {MAX_JSON_DEPTH} deep, from a client at most {MAX_CLIENT_FRAME_BYTES} bytes. \
                     `/` is the same. Fields that are not known are ignored."
                ),
                "messages": of_channel,
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "headers": {
                            "type": "object",
                            "properties": {
                                "Sec-WebSocket-Protocol": { "type": "string", "const": SUBPROTOCOL, "description": "May be left out." },
                                "Origin": { "type": "string", "description": "Set by browsers; has to be the proxy's own or one of OUTCROP_ALLOWED_ORIGINS." }
                            }
                        }
                    }
                }
            }
        },
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": definitions,
            "securitySchemes": {
                "hello": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `token` of `client.hello`, which is the first message then: the way of browsers. Never in the address."
                },
                "header": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "`Authorization: Bearer …` with the handshake, of clients that are no browser."
                }
            }
        }
    });
    HEAD.to_owned() + &serde_saphyr::to_string(&Ordered(&document)).unwrap()
}

#[test]
fn the_asyncapi_document_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/asyncapi.yaml");
    let generated = generate();
    if std::env::var_os("UPDATE_ASYNCAPI").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let on_disk = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        on_disk == generated,
        "docs/asyncapi.yaml has drifted; UPDATE_ASYNCAPI=1 cargo test -p outcrop-protocol asyncapi writes it anew"
    );
}

#[test]
fn every_message_of_the_proxy_answers_something_or_comes_unasked() {
    let replies = REPLIES.iter().flat_map(|(_, replies)| replies.iter().copied());
    let said: BTreeSet<&str> = replies.chain(["chat.error", UNASKED]).collect();
    assert_eq!(said, ServerMessage::TYPES.iter().copied().collect());
}
