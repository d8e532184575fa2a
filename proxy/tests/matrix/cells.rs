//! The cells: a fault, a moment, how often it strikes, and whether the answer is streamed.

use bedrock_emulator::{Behaviour, ErrorType, Fault, Moment, Script, Step, Strike};
use serde_json::json;

/// The text of every answer: six tokens.
pub(crate) const TEXT: &str = "one two three four five six";
/// The reasoning of those that have any: three tokens.
pub(crate) const REASONING: &str = "hm hm hm";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// An HTTP error.
    Http(ErrorType),
    /// Throttling that says that the quota of the day is used up.
    DailyQuota,
    /// An exception in the stream.
    Exception(ErrorType),
    Silence,
    Cut,
    Reset,
    Checksum,
    Length,
    Garbage,
    /// The body ends properly, too early.
    ProperEnd,
}

/// When it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    BeforeHeaders,
    AfterHeaders,
    /// After `messageStart`.
    BeforeContent,
    /// In the frame of the first token.
    InFirstFrame,
    InReasoning,
    InText,
    /// In the frame of the fourth token.
    InFrame,
    /// After the start of a tool use, before any of its input; the answer has no text.
    AtToolUse,
    /// After the text, two tokens into the input of a tool.
    InToolInput,
    AfterMessageStop,
    AfterMetadata,
    /// In the body of an answer that is sent whole.
    InWholeBody,
}

/// One cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) what: What,
    pub(crate) when: When,
    /// Only the first call fails.
    pub(crate) once: bool,
    pub(crate) streaming: bool,
    pub(crate) number: usize,
}

const HTTP: [ErrorType; 10] = [
    ErrorType::Throttling,
    ErrorType::InternalServer,
    ErrorType::ServiceUnavailable,
    ErrorType::ModelNotReady,
    ErrorType::Validation,
    ErrorType::AccessDenied,
    ErrorType::ResourceNotFound,
    ErrorType::ModelError,
    ErrorType::ModelTimeout,
    ErrorType::ServiceQuotaExceeded,
];
const EXCEPTIONS: [ErrorType; 6] = [
    ErrorType::Throttling,
    ErrorType::InternalServer,
    ErrorType::ServiceUnavailable,
    ErrorType::ModelStreamError,
    ErrorType::Validation,
    ErrorType::ModelTimeout,
];
const CONNECTION: [What; 3] = [What::Silence, What::Cut, What::Reset];
const BAD_FRAMES: [What; 3] = [What::Checksum, What::Length, What::Garbage];

/// Every cell that makes sense.
pub(crate) fn all() -> Vec<Cell> {
    let mut places: Vec<(What, When, bool)> = Vec::new();
    for streaming in [true, false] {
        let before = HTTP.map(What::Http).into_iter().chain([What::DailyQuota]).chain(CONNECTION);
        places.extend(before.map(|what| (what, When::BeforeHeaders, streaming)));
    }
    let between_frames = [
        When::AfterHeaders,
        When::BeforeContent,
        When::InReasoning,
        When::InText,
        When::AtToolUse,
        When::InToolInput,
        When::AfterMessageStop,
    ];
    for when in between_frames {
        let exceptions = EXCEPTIONS.map(What::Exception).into_iter();
        let all = exceptions.chain(CONNECTION).chain(BAD_FRAMES).chain([What::ProperEnd]);
        places.extend(all.map(|what| (what, when, true)));
    }
    for when in [When::InFirstFrame, When::InFrame] {
        places.extend(CONNECTION.into_iter().chain([What::ProperEnd]).map(|what| (what, when, true)));
    }
    let after_all =
        CONNECTION.into_iter().chain([What::Length, What::Garbage, What::Exception(ErrorType::InternalServer)]);
    places.extend(after_all.map(|what| (what, When::AfterMetadata, true)));
    for when in [When::AfterHeaders, When::InWholeBody] {
        places.extend(CONNECTION.into_iter().chain([What::Garbage, What::ProperEnd]).map(|what| (what, when, false)));
    }
    let both = places.into_iter().flat_map(|place| [(place, false), (place, true)]);
    both.enumerate()
        .map(|(number, ((what, when, streaming), once))| Cell { what, when, once, streaming, number })
        .collect()
}

impl Cell {
    /// The prompt, which nothing but this cell has.
    pub(crate) fn prompt(&self) -> String {
        format!("cell {:03}.", self.number)
    }

    /// A model of its own, so that no cell opens the circuit breaker of another.
    pub(crate) fn model(&self) -> String {
        format!("arn:aws:bedrock:us-west-2:{:012}:inference-profile/us.{}", self.number, crate::common::MODEL)
    }

    fn answer(&self) -> Behaviour {
        let tool = |behaviour: Behaviour| behaviour.with_tool_use("get_weather", json!({ "city": "Oslo" }));
        match self.when {
            When::InReasoning => Behaviour::text(TEXT).with_reasoning(REASONING),
            When::AtToolUse => tool(Behaviour::text("")),
            When::InToolInput => tool(Behaviour::text(TEXT)),
            _ => Behaviour::text(TEXT),
        }
    }

    fn fault(&self) -> Fault {
        let at = match self.when {
            When::BeforeHeaders => Moment::Request,
            When::AfterHeaders => Moment::Headers,
            When::BeforeContent | When::AtToolUse => Moment::Deltas(0),
            When::InFirstFrame | When::InWholeBody => Moment::Frame(0),
            When::InReasoning => Moment::Deltas(2),
            When::InText => Moment::Deltas(3),
            When::InFrame => Moment::Frame(3),
            When::InToolInput => Moment::Deltas(8),
            When::AfterMessageStop => Moment::Stop,
            When::AfterMetadata => Moment::End,
        };
        let what = match self.what {
            What::Http(error) | What::Exception(error) => return Fault::exception(error, at),
            What::DailyQuota => Strike::Exception {
                error: ErrorType::Throttling,
                message: Some("Too many tokens per day, please wait before trying again.".to_owned()),
            },
            What::Silence => Strike::Silence,
            What::Cut => Strike::Cut,
            What::Reset => Strike::Reset,
            What::Checksum => Strike::Checksum,
            What::Length => Strike::Length,
            What::Garbage => Strike::Garbage,
            What::ProperEnd => Strike::End,
        };
        Fault::Strike { what, at }
    }
}

/// What the emulator plays for these cells.
pub(crate) fn script(cells: &[Cell]) -> Script {
    cells.iter().fold(Script::new(), |script, cell| {
        let fails = Step::of(cell.answer().with_fault(cell.fault())).when_prompt(cell.prompt());
        let fails = if cell.once { fails.times(1) } else { fails };
        script.step(fails).step(Step::of(cell.answer()).when_prompt(cell.prompt()))
    })
}
