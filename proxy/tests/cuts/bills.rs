//! What clients were told that their answers used, against what Bedrock bills.

use std::{collections::HashMap, fmt};

use bedrock_emulator::{Config, LedgerEntry};
use protocol::UsageSource;
use sha2::{Digest, Sha256};

use crate::{
    common::{MODEL, Proxy, usage_of},
    held::Ended,
};

/// The answers that were compared.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Bills {
    /// Told what the ledger says.
    reported: u64,
    /// Told an estimate, marked as one.
    estimated: u64,
    /// Never asked of Bedrock, and told so.
    unasked: u64,
}

impl Bills {
    /// Compares an answer with its calls: what came is what Bedrock sent, all of it unless it was stopped; there was one call for
    /// it; and what it used is what the ledger says, or is marked as estimated where the call was `dropped` with the stop.
    pub(crate) fn compare(&mut self, what: &str, ended: &Ended, calls: &[LedgerEntry], dropped: bool) {
        assert!(calls.len() <= 1, "{} calls for {what}", calls.len());
        let call = calls.first();
        if ended.was_stopped() {
            let sent = call.map_or("", |call| call.text_sent.as_str());
            assert!(sent.starts_with(&ended.text), "{what}: not the start of what was sent");
        } else {
            let call = call.unwrap_or_else(|| panic!("no call for {what}"));
            assert_eq!(hash(&ended.text), call.text_sha256, "{what}");
            assert!(!ended.text.is_empty(), "{what} is empty");
        }
        let usage = &ended.usage;
        let told = serde_json::to_value(usage).expect("JSON");
        match (usage.source, call) {
            (UsageSource::Estimated, _) => {
                assert!(ended.was_stopped() && dropped, "{what} is estimated: {told}");
                let bytes = ended.text.len() + ended.reasoning.len();
                assert_eq!(usage.output_tokens, bytes.div_ceil(4) as u64, "{what}");
                assert_eq!(usage.total_tokens, usage.input_tokens + usage.output_tokens, "{what}");
                assert!(usage.input_tokens > 0 && usage.cost_nano_usd > Some(0), "{what}: {told}");
                self.estimated += 1;
            }
            (UsageSource::Reported, Some(call)) => {
                assert!(!(ended.was_stopped() && dropped), "{what}: nobody read what the call used: {told}");
                assert_eq!(told, usage_of(call), "{what}");
                self.reported += 1;
            }
            (UsageSource::Reported, None) => {
                assert_eq!((usage.total_tokens, usage.cost_nano_usd.unwrap_or(0)), (0, 0), "{what}");
                self.unasked += 1;
            }
        }
    }
}

impl fmt::Display for Bills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reported, estimated, unasked } = self;
        write!(
            f,
            "{} usages compared ({reported} as in the ledger, {estimated} marked as estimated, {unasked} of no call)",
            reported + estimated + unasked
        )
    }
}

pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// All calls there were, by the question they were made for.
pub(crate) fn calls_by_question(proxy: &Proxy) -> HashMap<String, Vec<LedgerEntry>> {
    let ledger = proxy.emulator.ledger();
    assert!(ledger.len() < Config::default().ledger_capacity, "the ledger has forgotten calls");
    assert!(ledger.iter().all(|call| call.model_id == MODEL));
    let mut calls: HashMap<String, Vec<LedgerEntry>> = HashMap::new();
    for call in ledger {
        let messages = call.request["messages"].as_array().expect("messages");
        let prompt = messages.last().expect("a message")["content"][0]["text"].as_str().expect("a text");
        // A question that was stopped before its first word is said again before the next one.
        let question = prompt.rsplit("\n\n").next().unwrap_or_default().to_owned();
        calls.entry(question).or_default().push(call);
    }
    calls
}
