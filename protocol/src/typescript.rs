//! The TypeScript types of the npm package, generated from the Rust ones.
//!
//! `client-wasm/npm/protocol.d.ts` is what this module writes. The test fails when the file is not that;
//! `UPDATE_TYPESCRIPT=1 cargo test -p outcrop-protocol typescript` brings it up to date.

use std::{fmt::Write, fs, path::Path};

use ts_rs::{Config, TS};

use crate::{client, server};

const HEAD: &str = "// Generated from the Rust types of the protocol crate by its tests. Do not edit.\n";

macro_rules! declare {
    ($out:ident, $config:ident, $($type:ty),* $(,)?) => {
        $(
            let docs = <$type as TS>::docs().unwrap_or_default();
            write!($out, "\n{docs}export {}\n", <$type as TS>::decl(&$config)).unwrap();
        )*
    };
}

fn map(name: &str, doc: &str, types: &[&str], data: &[&str]) -> String {
    let rows: String = types.iter().zip(data).map(|(kind, data)| format!("  \"{kind}\": {data};\n")).collect();
    format!("\n/** {doc} */\nexport interface {name} {{\n{rows}}}\n")
}

fn generate() -> String {
    let config = Config::new();
    let mut out = HEAD.to_owned();
    declare!(
        out,
        config,
        crate::SessionId,
        crate::MessageId,
        crate::RequestId,
        crate::ToolUseId,
        crate::Timestamp,
        crate::ErrorCode,
        crate::ErrorData,
        crate::UsageSource,
        crate::Usage,
        crate::StopReason,
        crate::ToolStatus,
        crate::RawJson,
        crate::ToolUse,
        crate::ToolResult,
        crate::AttachmentInfo,
        crate::Role,
        crate::Part,
        crate::Message,
        crate::Attachment,
        crate::AnswerState,
        crate::ModelPrice,
        crate::price::LongPromptPrice,
        client::SendMessage,
        client::Cancel,
        client::Resume,
        client::Regenerate,
        client::CreateSession,
        client::ListSessions,
        client::GetHistory,
        client::RenameSession,
        client::DeleteSession,
        client::ApproveTool,
        client::GroupBy,
        client::UsageScope,
        client::UsageQuery,
        client::ClientHello,
        client::AuthRefresh,
        client::Ping,
        server::MessageResponse,
        server::MessageStream,
        server::MessageComplete,
        server::ToolUseUpdate,
        server::ToolApproved,
        server::StatusState,
        server::Status,
        server::Snapshot,
        server::Session,
        server::SessionsResponse,
        server::InProgress,
        server::HistoryResponse,
        server::SessionDeleted,
        server::UsageRow,
        server::UsageSum,
        server::BudgetScope,
        server::BudgetPeriod,
        server::BudgetUnit,
        server::BudgetState,
        server::UsageResponse,
        server::PrincipalRole,
        server::Principal,
        server::Limits,
        server::ModelInfo,
        server::ToolApproval,
        server::ToolInfo,
        server::ServerHello,
        server::AuthRefreshed,
        server::Pong,
        server::Draining,
    );
    out += &map(
        "ClientMessages",
        "What a client may send: the data of each type.",
        client::ClientMessage::TYPES,
        client::ClientMessage::DATA,
    );
    out += &map(
        "ServerMessages",
        "What the proxy may send: the data of each type.",
        server::ServerMessage::TYPES,
        server::ServerMessage::DATA,
    );
    out
}

#[test]
fn typescript_types_are_those_of_rust() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client-wasm/npm/protocol.d.ts");
    let generated = generate();
    if std::env::var_os("UPDATE_TYPESCRIPT").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let on_disk = fs::read_to_string(&path).unwrap_or_default();
    assert!(on_disk == generated, "{} has drifted; UPDATE_TYPESCRIPT=1 writes it anew", path.display());
}
