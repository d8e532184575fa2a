//! The fault matrix: each way in which Bedrock can fail at each moment of a call, through the real proxy and the AWS SDK over
//! loopback; the end, the text, what is kept and the bill of each, as the rules have it.

#[path = "../api/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what the other test target has use for as well")]
mod common;

mod cells;
mod play;
mod recovery;
mod rules;
