//! What the tests of hubs share.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "it is part of each test program")]

use std::{collections::HashMap, sync::Arc, time::Duration};

use outcrop_tools::{Caller, Config, Hub, Phase, Pins, Role, ServerState, Tool};
use serde_json::{Map, Value, json};

/// Longer than anything takes here; a test that waits for so long has failed.
pub const LIMIT: Duration = Duration::from_secs(120);

pub fn config(servers: Value, env: &[(&str, &str)]) -> Config {
    let env: HashMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse(&json!({"mcpServers": servers}).to_string(), &|name| env.get(name).cloned()).unwrap()
}

pub fn ann() -> Caller {
    Caller {
        organization: "acme".into(),
        user: "ann".into(),
        role: Role::User,
        session: "s1".into(),
        message: "m1".into(),
    }
}

pub fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A hub whose servers are all up.
pub async fn up(servers: Value, env: &[(&str, &str)]) -> Arc<Hub> {
    let hub = Hub::start(config(servers, env), Vec::new(), Pins::in_memory());
    assert!(hub.ready(LIMIT).await);
    for server in hub.servers() {
        assert_eq!(server.phase, Phase::Up, "{server:?}");
    }
    hub
}

/// Why a server is down.
pub fn reason(server: &ServerState) -> &str {
    let Phase::Down { reason, .. } = &server.phase else { panic!("{server:?}") };
    reason
}

pub fn tool(hub: &Hub, wire_name: &str) -> Arc<Tool> {
    let offered: Vec<_> = hub.offer(&ann()).iter().map(|tool| tool.wire_name.clone()).collect();
    hub.find(&ann(), wire_name).unwrap_or_else(|| panic!("{wire_name} is not in {offered:?}"))
}
