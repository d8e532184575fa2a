//! What people are told of tools, and whether they let one run.

use std::sync::Arc;

use outcrop_tools::{Approval, Caller, Tool};
use protocol::{
    ErrorCode, ErrorData,
    client::ApproveTool,
    server::{ServerMessage, ToolApproval, ToolApproved, ToolInfo},
};

use super::{Outcome, Service};
use crate::{
    principal::{Identity, Owner},
    store::Decision,
    turn::toolbox::role,
};

/// The most of a tool's description that people are sent, in bytes; the model is sent all of it.
const TOLD_OF_TOOL_BYTES: usize = 400;

impl Service {
    /// The tools that the model may call for this person.
    pub(super) fn tools_of(&self, identity: &Identity) -> Vec<ToolInfo> {
        let Owner { organization, user } = identity.owner.clone();
        let nowhere = || Arc::from("");
        let caller = Caller { organization, user, role: role(identity.role), session: nowhere(), message: nowhere() };
        let info = |tool: Arc<Tool>| ToolInfo {
            name: tool.name.to_string(),
            server: tool.server.to_string(),
            title: tool.title.clone(),
            description: Some(beginning(&tool.description)).filter(|text| !text.is_empty()),
            approval: match tool.approval {
                Approval::Always => ToolApproval::Always,
                Approval::Session => ToolApproval::Session,
                Approval::Never => ToolApproval::Never,
            },
        };
        self.runner.tools.offer(&caller).into_iter().map(info).collect()
    }

    /// Lets the call of a tool run, or not, wherever its answer is made.
    pub(super) async fn approve_tool(&self, owner: &Owner, approve: ApproveTool) -> Outcome {
        let ApproveTool { tool_use_id, message_id, approved } = approve;
        let decided = match message_id {
            None => Ok(self.turns().running_of(owner).iter().any(|turn| turn.decide(&tool_use_id, approved))),
            Some(id) => match self.turns().find(owner, &id) {
                Some(turn) => Ok(turn.decide(&tool_use_id, approved)),
                None => {
                    let decision = Decision { tool_use_id: tool_use_id.clone(), approved };
                    self.store().decide(owner, &id, decision).await
                }
            },
        };
        match decided {
            Ok(true) => Outcome::Reply(Box::new(ServerMessage::ToolApproved(ToolApproved { tool_use_id, approved }))),
            Ok(false) => {
                let text = "No call of this id waits for a word any more. What came of it is in the answer.";
                Outcome::Failed(ErrorData::new(ErrorCode::InvalidRequest, text))
            }
            Err(error) => Outcome::from(Err(error)),
        }
    }
}

/// As much of a tool's description as people are sent.
fn beginning(description: &str) -> String {
    match description.floor_char_boundary(TOLD_OF_TOOL_BYTES) {
        end if end < description.len() => format!("{}…", description[..end].trim_end()),
        _ => description.to_owned(),
    }
}
