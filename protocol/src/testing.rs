//! What the property tests of this crate share.

use proptest::{prelude::*, test_runner::RngSeed};

/// Where every property of this crate begins: a failure is the same one in every run.
const SEED: u64 = 20_261_125;

/// So many cases from the seed. What fails is printed whole, made as small as can be; nothing is written beside the sources.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Text with all that JSON escapes, all planes of Unicode, and what looks like JSON.
pub(crate) fn text(max_pieces: usize) -> impl Strategy<Value = String> + Clone {
    let piece = prop_oneof![
        4 => "[a-z ]{1,4}",
        1 => any::<char>().prop_map(String::from),
        1 => "[\\x00-\\x1f\\x7f\"\\\\/]",
        1 => "[\u{80}-\u{9f}\u{2028}\u{2029}\u{d7ff}\u{e000}\u{feff}\u{ffff}\u{10000}\u{10ffff}😀]",
        1 => prop::sample::select(vec!["\\u0041", "\\ud83d", "\\", "\"}}", ",\"part\":", "null", "{\"a\":[", "</script>"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..=max_pieces).prop_map(|pieces| pieces.concat())
}

/// A JSON string with escapes of every form, whole surrogate pairs and halves of them.
pub(crate) fn json_string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z ü😀]{1,3}",
        2 => "\\\\[\"\\\\/bfnrt]",
        1 => "\\\\u[0-9a-fA-C][0-9a-fA-F]{3}",
        1 => Just("\\ud83d\\uDE00".to_owned()),
    ];
    let whole = prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    let broken = "[a-z]?(\\\\u[dD][89a-f][0-9]{2}|\\\\u[0-9]{1,3}|\\\\[^\"\\\\/bfnrtu]|[\\x00-\\x1f])[a-z]?";
    prop_oneof![30 => whole, 1 => broken].prop_map(|text| format!("\"{text}\""))
}

/// One way in which text comes to harm. Places are taken modulo its length, and are moved on to a whole character.
#[derive(Debug, Clone)]
pub(crate) enum Spoilt {
    /// The rest is missing.
    Cut(usize),
    /// A piece is missing.
    Without(usize, usize),
    /// A piece comes twice.
    Double(usize, usize),
    /// Something is in it that does not belong there.
    With(usize, String),
    /// A character is another one.
    Changed(usize, String),
}

impl Spoilt {
    /// `text` after the harm.
    pub(crate) fn apply(&self, text: &str) -> String {
        let place = |at: usize| text.ceil_char_boundary(at % (text.len() + 1));
        let (Self::Cut(at) | Self::Without(at, _) | Self::Double(at, _) | Self::With(at, _) | Self::Changed(at, _)) =
            *self;
        let (before, after) = text.split_at(place(at));
        match self {
            Self::Cut(_) => before.to_owned(),
            Self::Without(_, len) => format!("{before}{}", &after[after.ceil_char_boundary(*len)..]),
            Self::Double(_, len) => format!("{before}{}{after}", &after[..after.ceil_char_boundary(*len)]),
            Self::With(_, text) => format!("{before}{text}{after}"),
            Self::Changed(_, text) => format!("{before}{text}{}", after.chars().skip(1).collect::<String>()),
        }
    }
}

/// Up to three harms.
pub(crate) fn spoilt() -> impl Strategy<Value = Vec<Spoilt>> {
    let (at, len) = (any::<u16>().prop_map(usize::from), 1usize..12);
    let junk = || "[\\[\\]{}:,\"\\\\0-9a-z.+ \n\\x00ü]|null|\\\\ud83d|\\\\u0041|1e9|-";
    let one = prop_oneof![
        2 => at.clone().prop_map(Spoilt::Cut),
        1 => (at.clone(), len.clone()).prop_map(|(at, len)| Spoilt::Without(at, len)),
        1 => (at.clone(), len).prop_map(|(at, len)| Spoilt::Double(at, len)),
        2 => (at.clone(), junk()).prop_map(|(at, text)| Spoilt::With(at, text)),
        2 => (at, junk()).prop_map(|(at, text)| Spoilt::Changed(at, text)),
    ];
    prop::collection::vec(one, 1..4)
}
