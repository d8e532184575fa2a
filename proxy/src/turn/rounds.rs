//! The rounds of an answer: the model is asked, the tools are called that it wants, and it is asked again with what they returned.

use std::time::Duration;

use futures_util::future::join_all;
use outcrop_tools::{Approval, Tool};
use protocol::{ErrorData, Role, StopReason, ToolStatus, ToolUse, ToolUseId, server::StatusState};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::{
    Runner, Turn,
    answer::too_large,
    assembly::{Wanted, arguments},
    calls::{Calls, sum},
    history::sendable,
    log::shown,
    rates::OverRate,
    toolbox::{Came, Toolbox, qualified},
};
use crate::{
    bedrock::{ConverseRequest, UpstreamError},
    conversation::{Block, Turn as Said},
    ledger::budgets::over_budget,
    store::{CallOutcome, StoreError},
};

/// What one answer may do with tools.
#[derive(Debug, Clone)]
pub struct ToolLimits {
    /// How often the model may ask for tools.
    pub rounds: u32,
    /// How many calls there may be.
    pub calls: u32,
    /// How long the rounds may take; waiting for people is not counted.
    pub timeout: Duration,
    /// The most tokens of all calls of models, after which there is no other.
    pub tokens: Option<u64>,
    /// What they may cost, in nano-dollars, after which there is no other.
    pub nano_usd: Option<u64>,
    /// How long a person has to say yes.
    pub approval_timeout: Duration,
    /// The most text of one result that the model is sent, in bytes.
    pub result_bytes: usize,
}

/// How often a round looks whether the rates of its owner allow it.
const MAX_RATE_WAITS: u32 = 3;

/// What one call of a tool left.
struct Ran {
    result: Block,
    /// How long it waited for a person.
    waited: Duration,
}

impl Runner {
    /// Asks until the model is done or a limit is reached.
    pub(super) async fn converse(
        &self,
        turn: &Turn,
        mut request: ConverseRequest,
        streaming: bool,
        calls: &Calls,
        toolbox: &Toolbox,
    ) -> Result<StopReason, ErrorData> {
        let started = Instant::now();
        let (mut waited, mut called) = (Duration::ZERO, 0);
        for round in 1.. {
            turn.append(|log| log.begin_round());
            calls.begin_round();
            let limit = self.limits.answer_timeout;
            let asked = timeout(limit, self.ask(turn, &mut request, streaming, calls, toolbox)).await;
            let reply = asked.unwrap_or_else(|_| Err(UpstreamError::too_long(limit))).map_err(|error| {
                warn!(message_id = %turn.message_id, model = turn.model(), %error, "Bedrock failed");
                error.into_data()
            })?;
            if turn.is_stopped() {
                return Ok(reply.stop_reason);
            }
            turn.transcribe(Role::Assistant, kept(&reply.blocks, toolbox));
            if reply.stop_reason != StopReason::ToolUse || reply.wanted.is_empty() {
                return Ok(reply.stop_reason);
            }
            called += reply.wanted.len();
            let worked = started.elapsed().saturating_sub(waited);
            if let Some(why) = self.is_too_much(turn, calls, round, called, worked) {
                info!(message_id = %turn.message_id, why, "no more tools are called for an answer");
                let denied = || Came::told(ToolStatus::Denied, format!("It was not called: {why}."));
                let ran = reply
                    .wanted
                    .iter()
                    .map(|wanted| self.ran(turn, begun(wanted, toolbox)?, denied(), None, Duration::ZERO));
                let ran: Vec<Ran> = ran.collect::<Result<_, _>>().map_err(UpstreamError::into_data)?;
                turn.transcribe(Role::User, ran.into_iter().map(|ran| ran.result).collect());
                return Ok(StopReason::ToolLimit);
            }
            let room = turn.transcript().room() / reply.wanted.len();
            let ran = reply.wanted.iter().map(|wanted| self.run_tool(turn, toolbox, wanted, streaming, room));
            let ran: Vec<Ran> =
                join_all(ran).await.into_iter().collect::<Result<_, _>>().map_err(UpstreamError::into_data)?;
            waited += ran.iter().map(|ran| ran.waited).max().unwrap_or_default();
            let results: Vec<Block> = ran.into_iter().map(|ran| ran.result).collect();
            calls.tools(turn);
            turn.transcribe(Role::User, results.clone());
            request.turns.push(Said { role: Role::Assistant, blocks: sendable(reply.blocks) });
            request.turns.push(Said { role: Role::User, blocks: results });
            self.reserve_more(turn, &request).await?;
        }
        Ok(StopReason::ToolLimit)
    }

    /// Why no more tools may be called, if they may not.
    fn is_too_much(&self, turn: &Turn, calls: &Calls, round: u32, called: usize, worked: Duration) -> Option<String> {
        let limits = &self.limits.tools;
        let used = sum(&calls.entries(turn, &self.catalog, self.upstream.region(), CallOutcome::Complete));
        let cost = used.cost_nano_usd.unwrap_or(0);
        Some(if round > limits.rounds {
            format!("an answer asks for tools {} times at most", limits.rounds)
        } else if called > limits.calls as usize {
            format!("an answer calls {} tools at most", limits.calls)
        } else if worked > limits.timeout {
            format!("an answer with tools takes {} s at most", limits.timeout.as_secs())
        } else if limits.tokens.is_some_and(|most| used.total_tokens > most) {
            "this answer has used as many tokens as one with tools may".to_owned()
        } else if limits.nano_usd.is_some_and(|most| cost > most) {
            "this answer has cost as much as one with tools may".to_owned()
        } else {
            return None;
        })
    }

    /// Sets aside what the next call may cost, and waits until its tokens may be used.
    async fn reserve_more(&self, turn: &Turn, request: &ConverseRequest) -> Result<(), ErrorData> {
        let mut waits = 0;
        while let Err(over) = self.turns.rates().tokens(&turn.owner, request.most_tokens()) {
            let data = OverRate::into_data(over);
            let wait = data.retry_after_ms.map(Duration::from_millis).filter(|_| waits < MAX_RATE_WAITS);
            let Some(wait) = wait else { return Err(data) };
            waits += 1;
            turn.say(Some((StatusState::Queued, Instant::now())));
            sleep(wait).await;
            turn.say(None);
        }
        let amount = self.reservation(turn, request).amount;
        let more = self.store.reserve_more(&turn.owner, &turn.session_id, &turn.message_id, amount).await;
        more.map_err(|error| match error {
            StoreError::OverBudget(account, balance) => over_budget(&account, balance, amount, turn.started),
            error => ErrorData::new(error.code(), format!("The answer could not go on: {error}.")),
        })
    }

    /// Calls a tool, if it is there and may be called. What comes of it is in the log, and for the model.
    async fn run_tool(
        &self,
        turn: &Turn,
        toolbox: &Toolbox,
        wanted: &Wanted,
        streaming: bool,
        room: usize,
    ) -> Result<Ran, UpstreamError> {
        let mut call = begun(wanted, toolbox)?;
        let refuse = |status, text: &str| Came::told(status, text.to_owned());
        let arguments = wanted.input.as_ref().and_then(|input| arguments(input.as_str()));
        let (tool, arguments) = match (toolbox.find(&wanted.name), arguments) {
            (Some(tool), Some(arguments)) => (tool, arguments),
            (None, _) => return self.ran(turn, call, refuse(ToolStatus::Failed, NO_SUCH_TOOL), None, Duration::ZERO),
            (_, None) => return self.ran(turn, call, refuse(ToolStatus::Failed, NO_OBJECT), None, Duration::ZERO),
        };
        let asked = Instant::now();
        match self.approval(turn, &mut call, tool, streaming).await? {
            Ok(approved) => call.approved = approved,
            Err(why) => return self.ran(turn, call, refuse(ToolStatus::Denied, why), None, asked.elapsed()),
        }
        let waited = asked.elapsed();
        call.status = ToolStatus::Running;
        turn.append(|log| log.call(call.clone())).map_err(too_large)?;
        let span = turn.caller.as_ref().map(|caller| caller.span().tool(&call));
        let started = Instant::now();
        let came = toolbox.call(tool, arguments, self.limits.tools.result_bytes, room).await;
        if let Some(span) = span {
            span.end(came.status);
        }
        self.ran(turn, call, came, Some(started.elapsed()), waited)
    }

    /// Whether a person has let it run; why it is not called, where it may not be.
    async fn approval(
        &self,
        turn: &Turn,
        call: &mut ToolUse,
        tool: &Tool,
        streaming: bool,
    ) -> Result<Result<bool, &'static str>, UpstreamError> {
        let name = qualified(tool);
        let for_session = tool.approval == Approval::Session;
        if tool.approval == Approval::Never || (for_session && turn.approvals.is_allowed(&name)) {
            return Ok(Ok(false));
        }
        if !streaming {
            return Ok(Err(NOBODY_ASKED));
        }
        let waiting = turn.approvals.wait(call.tool_use_id.as_str());
        call.status = ToolStatus::PendingApproval;
        turn.append(|log| log.call(call.clone())).map_err(too_large)?;
        let answer = waiting.answer(for_session.then_some(&name));
        Ok(match timeout(self.limits.tools.approval_timeout, answer).await {
            Ok(true) => Ok(true),
            Ok(false) => Err(SAID_NO),
            Err(_) => Err(SAID_NOTHING),
        })
    }

    fn ran(
        &self,
        turn: &Turn,
        call: ToolUse,
        came: Came,
        took: Option<Duration>,
        waited: Duration,
    ) -> Result<Ran, UpstreamError> {
        let duration_ms = took.map_or(0, |took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let (id, status, content) = (call.tool_use_id.to_string(), came.status, came.content.clone());
        self.came(turn, call, came, took.map(|_| duration_ms))?;
        let failed = status != ToolStatus::Succeeded;
        Ok(Ran { result: Block::ToolResult { id, content, failed }, waited })
    }

    /// Says what came of a call.
    fn came(&self, turn: &Turn, call: ToolUse, came: Came, duration_ms: Option<u64>) -> Result<(), UpstreamError> {
        let call = ToolUse { status: came.status, duration_ms, result: shown(&came.shown), ..call };
        self.watch.tool_called(turn, &call);
        turn.append(|log| log.call(call)).map_err(too_large)
    }
}

const NO_SUCH_TOOL: &str = "It was not called: there is no tool of this name. Use one that is offered.";
const NO_OBJECT: &str = "It was not called: its arguments are not a JSON object, or one that is nested too deep.";
const NOBODY_ASKED: &str = "It was not called: a person has to allow it first, and whoever asks takes whole answers only, so that nobody can be asked.";
const SAID_NO: &str = "It was not called: the person said no. Do not call it again unless they ask for it.";
const SAID_NOTHING: &str = "It was not called: nobody allowed it in time.";

/// A call before anything was done about it.
pub(super) fn begun(wanted: &Wanted, toolbox: &Toolbox) -> Result<ToolUse, UpstreamError> {
    let tool = toolbox.find(&wanted.name);
    let unreadable = |_| UpstreamError::broken_stream("the call of a tool has an id that cannot be one");
    Ok(ToolUse {
        tool_use_id: ToolUseId::new(wanted.id.clone()).map_err(unreadable)?,
        name: tool.map_or_else(|| wanted.name.clone(), |tool| tool.name.to_string()),
        server: tool.map(|tool| tool.server.to_string()),
        input: wanted.input.clone().unwrap_or_default(),
        partial_input: None,
        status: ToolStatus::Preparing,
        duration_ms: None,
        result: None,
        approved: false,
    })
}

/// What the model said, as it is kept: tools have their own names.
fn kept(blocks: &[Block], toolbox: &Toolbox) -> Vec<Block> {
    let own = |block: &Block| match block {
        Block::ToolUse { id, name, input } => {
            Block::ToolUse { id: id.clone(), name: toolbox.qualified(name), input: input.clone() }
        }
        block => block.clone(),
    };
    blocks.iter().map(own).collect()
}
